"""Readers: what is readable becomes records, what is not is named with its place and bytes, and nothing stops the rest."""

import json
from pathlib import Path
from typing import Any

import pytest

from dhu_graph.model import Record
from dhu_graph.sources import File, Input, Unreadable, records
from dhu_graph.sources.readers import DEEPEST, LONGEST, in_scope


def read(path: Path, content: bytes, **how: Any) -> list[Record | Unreadable]:
    path.write_bytes(content)
    how = {"file": path.name, "format": path.suffix[1:], "id": "id", **how}
    return list(records(File(Input(**how), path.name, path)))


def outcome(entries: list[Record | Unreadable]) -> list[str]:
    """The id of each record, `!` and the beginning of the reason for each unreadable one."""
    return [e.id if isinstance(e, Record) else "!" + e.reason for e in entries]


# ------------------------------------------------------------------------------------------------ JSON Lines


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"id": "x", "a": ', "The line is not valid JSON"),
        (b'{"id": "x"} {"id": "y"}', "The line is not valid JSON"),
        (b'{"id": "x", "a": NaN}', "The line is not valid JSON: NaN is not a JSON number"),
        (b'{"id": "x", "a": -Infinity}', "The line is not valid JSON"),
        (b'{"id": "x", "a": ' + b"9" * 5000 + b"}", "The line is not valid JSON"),
        (b'{"id": "x", "a": "caf\xe9"}', "The line is not valid JSON"),
        (b'{"id": "x", "a": "\\ud800"}', "The text is not valid utf-8"),
        (b'{"id": "x", "a": "nul \\u0000 nul"}', "The text holds a NUL character"),
        (b'{"id": "x", "a": "nul \x00 nul"}', "The line is not valid JSON"),
        (b'["id", "x"]', "The line is not one JSON object"),
        (b'"id"', "The line is not one JSON object"),
        (b'{"a": 1}', "The field 'id', which identifies the record, is empty or missing"),
        (b'{"id": null}', "The field 'id'"),
        (b'{"id": "  "}', "The field 'id'"),
        (b'{"id": "x", "a": ' + b"[" * 30 + b"]" * 30 + b"}", "The line is not one JSON object of at most"),
        (
            b'{"id": "x", "a": ' + b'{"b":' * 30 + b"1" + b"}" * 30 + b"}",
            "The line is not one JSON object of at most",
        ),
        (b'{"id": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The line is not"),
    ],
    ids=lambda v: v[:40].decode("latin-1") if isinstance(v, bytes) else "",
)
def test_a_bad_line_is_named_and_its_neighbours_are_read(bad: bytes, reason: str, tmp_path: Path) -> None:
    found = read(tmp_path / "r.jsonl", b'{"id": "before"}\n' + bad + b'\n{"id": "after"}\n')
    assert [e.id for e in found if isinstance(e, Record)] == ["before", "after"]
    (refused,) = [e for e in found if isinstance(e, Unreadable)]
    assert refused.reason.startswith(reason)
    assert refused.where == "r.jsonl, line 2" and refused.native == bad


def test_a_line_of_six_megabytes_is_refused_in_little_memory(tmp_path: Path) -> None:
    long = b'{"id": "x", "a": "' + b"y" * 6_000_000 + b'"}'
    found = read(tmp_path / "r.jsonl", b'{"id": "before"}\n' + long + b'\n{"id": "after"}')
    assert outcome(found) == ["before", f"!The line is longer than {LONGEST:,} bytes.", "after"]
    assert found[1].where == "r.jsonl, line 2" and found[2].where == "r.jsonl, line 3"


def test_a_line_of_exactly_the_longest_length_is_read(tmp_path: Path) -> None:
    frame = b'{"id": "x", "a": ""}\n'
    line = frame.replace(b'""', b'"' + b"y" * (LONGEST - len(frame)) + b'"')
    assert len(line) == LONGEST
    assert outcome(read(tmp_path / "r.jsonl", line + b'{"id": "after"}\n')) == ["x", "after"]


def test_nesting_up_to_the_deepest_level_is_read(tmp_path: Path) -> None:
    deep: Any = 1
    for _ in range(DEEPEST - 1):
        deep = [deep]
    assert outcome(read(tmp_path / "r.jsonl", json.dumps({"id": "x", "a": deep}).encode())) == ["x"]


def test_blank_lines_windows_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbf{"id": "a"}\r\n\r\n   \n{"id": "b"}\r\n{"id": 3}'
    found = read(tmp_path / "r.jsonl", content)
    assert outcome(found) == ["a", "b", "3"]
    assert [e.where for e in found] == ["r.jsonl, line 1", "r.jsonl, line 4", "r.jsonl, line 5"]
    assert found[1].native == b'{"id": "b"}'


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path / "r.jsonl", b"") == [] == read(tmp_path / "r.csv", b"")


# ------------------------------------------------------------------------------------------------ CSV


def test_cells_with_newlines_quotes_and_commas_are_one_record_with_its_native_bytes(tmp_path: Path) -> None:
    row = b'7,"a ""quoted"" cell,\nover two lines","last"\r\n'
    found = read(tmp_path / "r.csv", b"id,text,more\r\n" + row + b"8,b,c\r\n")
    assert outcome(found) == ["7", "8"]
    first = found[0]
    assert isinstance(first, Record)
    assert first.fields == {"id": "7", "text": 'a "quoted" cell,\nover two lines', "more": "last"}
    assert first.native == row and first.where == "r.csv, line 2" and found[1].where == "r.csv, line 4"


def test_missing_cells_are_absent_fields_and_empty_rows_are_no_records(tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", b"id,a,b\n1,,x\n,,\n\n  , ,\n2,y,\n")
    assert [dict(e.fields) for e in found if isinstance(e, Record)] == [
        {"id": "1", "b": "x"},
        {"id": "2", "a": "y"},
    ]
    assert len(found) == 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"2,too,many,cells\n", "The row has 4 cells, the header 3"),
        (b"2,few\n", "The row has 2 cells, the header 3"),
        (b'2,"quoted"tail,x\n', "The row cannot be read as CSV"),
        (b"2,caf\xe9,x\n", "The text is not valid utf-8-sig"),
        (b"2,nul \x00,x\n", "The text holds a NUL character"),
        (b",no id,x\n", "The field 'id'"),
        (b"2," + b"y" * 200_000 + b",x\n", "The row cannot be read as CSV"),
    ],
    ids=lambda v: v[:20].decode("latin-1") if isinstance(v, bytes) else "",
)
def test_a_bad_row_is_named_and_its_neighbours_are_read(bad: bytes, reason: str, tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", b"id,a,b\n1,a,b\n" + bad + b"3,a,b\n")
    assert [e.id for e in found if isinstance(e, Record)] == ["1", "3"]
    (refused,) = [e for e in found if isinstance(e, Unreadable)]
    assert refused.reason.startswith(reason)
    assert refused.native == bad and refused.where == "r.csv, line 3"


def test_a_quote_that_is_never_closed_takes_what_follows_into_quarantine_and_no_further(
    tmp_path: Path,
) -> None:
    tail = b'2,"open,b\n3,a,b\n4,a,b\n'
    found = read(tmp_path / "r.csv", b"id,a,b\n1,a,b\n" + tail)
    assert outcome(found)[0] == "1" and len(found) == 2
    assert isinstance(found[1], Unreadable) and found[1].native == tail


def test_a_quote_that_is_closed_by_the_next_one_loses_no_bytes(tmp_path: Path) -> None:
    bad = b'2,"open,b\n3,"a",b\n'
    found = read(tmp_path / "r.csv", b"id,a,b\n1,a,b\n" + bad + b'4,"a",b\n')
    assert [e.id for e in found if isinstance(e, Record)] == ["1", "4"]
    assert b"".join(e.native for e in found if isinstance(e, Unreadable)) == bad


def test_an_open_quote_before_six_megabytes_ends_and_later_rows_are_read(tmp_path: Path) -> None:
    filler = b"".join(b"%d,%s,b\n" % (n, b"y" * 1_000) for n in range(6_000))
    found = read(tmp_path / "r.csv", b"id,a,b\n" + b'1,"open,b\n' + filler + b"last,a,b\n")
    assert isinstance(found[0], Unreadable) and "cannot be read as CSV" in found[0].reason
    assert outcome(found)[-1] == "last"


def test_a_row_of_six_megabytes_without_an_end_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", b"id,a,b\n1,a,b\n2," + b"y" * 6_000_000 + b",b\n3,a,b\n")
    assert [e.id for e in found if isinstance(e, Record)] == ["1", "3"]
    assert all(isinstance(e, Unreadable) for e in found[1:-1])


def test_a_table_without_the_column_of_the_id_is_refused_as_a_whole(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "r.csv", b"key,a\n1,b\n2,c\n")
    assert isinstance(only, Unreadable)
    assert only.reason == "There is no column 'id'; the columns are key, a."


def test_a_column_named_twice_is_refused_because_one_would_be_lost(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "r.csv", b"id,a,a\n1,b,c\n")
    assert isinstance(only, Unreadable) and "'a'" in only.reason


def test_other_encodings_and_delimiters_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path / "r.csv", "id;größe\n1;ñandú\n".encode("latin-1"), encoding="latin-1", delimiter=";"
    )
    assert isinstance(found[0], Record) and found[0].fields == {"id": "1", "größe": "ñandú"}


def test_lists_are_split_and_names_of_inputs_go_before_ids(tmp_path: Path) -> None:
    found = read(tmp_path / "r.csv", b'id,a\n1," x | y||z "\n', split={"a": "|"}, name="part")
    assert isinstance(found[0], Record)
    assert found[0].id == "part-1" and found[0].fields["a"] == ["x", "y", "z"]


def test_scope_asks_for_one_of_the_values_in_each_field(tmp_path: Path) -> None:
    content = b'{"id": 1, "s": "Health", "c": ["GR", "CY"]}\n{"id": 2, "s": "Health"}\n{"id": 3, "s": "Tax", "c": ["GR"]}\n'
    scope = {"s": ["Health"], "c": ["GR", "FR"]}
    found = read(tmp_path / "r.jsonl", content, scope=scope)
    item = Input(file="r.jsonl", format="jsonl", id="id", scope=scope)
    assert [in_scope(item, e) for e in found if isinstance(e, Record)] == [True, False, False]


# ------------------------------------------------------------------------------------------------ JSON-stat

CUBE = {
    "id": ["unit", "geo", "time"],
    "size": [1, 2, 2],
    "dimension": {
        "unit": {"category": {"index": ["PC"]}},
        "geo": {"category": {"index": {"FR": 1, "EL": 0}}},
        "time": {"category": {"index": {"2020": 0, "2021": 1}}},
    },
    "value": [1.5, None, 0, 4],
    "status": {"3": "e"},
}


def cube(tmp_path: Path, **changes: Any) -> list[Record | Unreadable]:
    return read(tmp_path / "r.json", json.dumps({**CUBE, **changes}).encode(), format="jsonstat", id="")


def test_a_cube_gives_a_record_for_each_cell_that_holds_a_value(tmp_path: Path) -> None:
    found = [(e.id, dict(e.fields)) for e in cube(tmp_path) if isinstance(e, Record)]
    assert found == [
        ("EL-2020", {"unit": "PC", "geo": "EL", "time": "2020", "value": 1.5}),
        ("FR-2020", {"unit": "PC", "geo": "FR", "time": "2020", "value": 0}),
        ("FR-2021", {"unit": "PC", "geo": "FR", "time": "2021", "value": 4, "status": "e"}),
    ]


def test_sparse_values_are_read_like_dense_ones(tmp_path: Path) -> None:
    assert cube(tmp_path, value={"0": 1.5, "2": 0, "3": 4}) == [
        Record(e.id, e.where, e.native, e.fields) for e in cube(tmp_path) if isinstance(e, Record)
    ]


def test_a_cell_outside_the_cube_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    found = cube(tmp_path, value={"0": 1, "4": 2, "-1": 3, "x": 4, "3": 5})
    assert [e.id for e in found if isinstance(e, Record)] == ["EL-2020", "FR-2021"]
    assert [e.where for e in found if isinstance(e, Unreadable)] == [
        "r.json, cell 4",
        "r.json, cell -1",
        "r.json, cell x",
    ]


@pytest.mark.parametrize(
    "changes",
    [{"size": [1, 2, 3]}, {"id": None}, {"value": 3}, {"dimension": {}}, {"dimension": []}],
    ids=str,
)
def test_what_is_no_cube_is_refused_as_a_whole(changes: dict[str, Any], tmp_path: Path) -> None:
    (only,) = cube(tmp_path, **changes)
    assert isinstance(only, Unreadable) and only.reason.startswith("The file is not a JSON-stat cube")
