"""Hostile and broken files, to the end: the message names file and record, the rest lands, memory stays flat, nothing hangs."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dhu_graph import sources
from dhu_graph.sources.readers import LONGEST
from hostile import Run, measured, read, told
from small_sources import practice, write_lines

MB = 1_000_000


def rows(*cells: str) -> str:
    """A CSV of practices with these titles."""
    lines = [f'{n},"{cell}",An invented practice for a test.,GR' for n, cell in enumerate(cells, 1)]
    return "\r\n".join(["id,title,description,country", *lines]) + "\r\n"


# ------------------------------------------------------------------------------------------------ encodings


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("utf-8-sig", ""), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"), ("utf-32", "utf-32")],
)
@pytest.mark.parametrize("format", ["csv", "jsonl", "json", "yaml"])
def test_marks_of_byte_order_are_no_part_of_the_text(
    format: str, encoding: str, declared: str, run: Run
) -> None:
    one, two = practice(1, title="Υγεία"), practice(2, title="Größe")
    text = {
        "csv": rows("Υγεία", "Größe"),
        "jsonl": json.dumps(one, ensure_ascii=False) + "\n" + json.dumps(two, ensure_ascii=False) + "\n",
        "json": json.dumps([one, two], ensure_ascii=False),
        "yaml": f"---\n{json.dumps(one, ensure_ascii=False)}\n---\n{json.dumps(two, ensure_ascii=False)}\n",
    }[format]
    how = f'encoding = "{declared}"\n' * bool(declared) + 'records = "."\n' * (format == "json")
    assert run(f"r.{format}", text.encode(encoding), input=how).titles == ["Größe", "Υγεία"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("format", ["csv", "jsonl", "json", "yaml"])
def test_utf_16_that_is_not_declared_is_told_and_what_to_do(
    format: str, encoding: str, tmp_path: Path
) -> None:
    content = '{"id": "1", "title": "x"}\n'.encode(encoding)
    assert told(read(tmp_path / f"r.{format}", content)) == [
        f'!r.{format}: The text looks like UTF-16, not utf-8-sig: try encoding = "utf-16".'
    ]


def test_a_file_of_utf_16_that_breaks_off_is_read_so_far(run: Run) -> None:
    landed = run("r.csv", rows("First", "Second").encode("utf-16") + b"\x00", input='encoding = "utf-16"')
    assert landed.titles == ["First", "Second"] and "not utf-16" in landed.reasons


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_windows_1252_in_a_source_of_utf_8_costs_only_its_own_row(format: str, run: Run) -> None:
    bad = {
        "csv": b"2,caf\xe9 \x93x\x94,An invented practice.,GR\r\n",
        "jsonl": b'{"id": "2", "title": "caf\xe9"}\n',
    }[format]
    good = {"csv": rows("First").encode(), "jsonl": json.dumps(practice(1, title="First")).encode() + b"\n"}[
        format
    ]
    landed = run(f"r.{format}", good + bad)
    assert landed.titles == ["First"] and landed.reasons.startswith(
        f"r.{format}, line {3 if format == 'csv' else 2}:"
    )
    assert "\\xe9" in landed.refused[0]["native"]


@pytest.mark.parametrize("format", ["csv", "jsonl", "yaml"])
def test_utf_8_in_a_source_of_windows_1252_is_not_landed_as_two_letters_for_one(
    format: str, run: Run
) -> None:
    text = {
        "csv": rows("First").encode() + "2,Gesundheit für alle,An invented practice.,GR\r\n".encode(),
        "jsonl": b"".join(
            json.dumps(practice(n, title=t), ensure_ascii=False).encode() + b"\n"
            for n, t in [(1, "First"), (2, "für alle")]
        ),
        "yaml": '{"id": 2, "title": "für alle"}'.encode(),
    }[format]
    landed = run(f"r.{format}", text, input='encoding = "cp1252"')
    assert landed.titles == ["First"] * (format != "yaml")
    assert "The text is UTF-8, not cp1252." in landed.reasons


def test_windows_1252_that_is_declared_is_read(run: Run) -> None:
    assert run("r.csv", rows("Größe “x”").encode("cp1252"), input='encoding = "cp1252"').titles == [
        "Größe “x”"
    ]


def test_a_header_that_cannot_be_printed_is_told_all_the_same(run: Run) -> None:
    landed = run("r.csv", b"caf\xe9,\x1b[31mred\n1,2\n")
    assert 'try encoding = "latin-1"' in landed.reasons and "\\udce9" in landed.reasons
    assert "\x1b" not in "".join(landed.report.examples)


# ------------------------------------------------------------------------------------------------ CSV


def test_newlines_in_cells_and_ragged_rows(run: Run) -> None:
    text = (
        rows("Two\nlines", "Fine")
        + "3,short\r\n"
        + "4,too,long,GR,x,y\r\n"
        + '5,"After",An invented practice.,GR\r\n'
    )
    landed = run("r.csv", text.encode())
    assert landed.titles == ["After", "Fine", "Two\nlines"]
    assert [(r["where"], r["reasons"][0]) for r in landed.refused] == [
        ("r.csv, line 5", "The row has 2 cells, the header 4."),
        ("r.csv, line 6", "The row has 6 cells, the header 4."),
    ]


def test_a_file_that_ends_within_a_quoted_cell(run: Run) -> None:
    landed = run("r.csv", rows("First").encode() + b'2,"open,An inv')
    assert landed.titles == ["First"] and landed.reasons.startswith(
        "r.csv, line 3: The row cannot be read as CSV"
    )


def test_a_cell_of_200_mb_is_one_refusal(big: Path) -> None:
    path = big / "big.csv"
    with path.open("wb") as out:
        out.write(b"id,a\n1,b\n2,")
        for _ in range(200):
            out.write(b"y" * MB)
        out.write(b"\n3,b\n")
    ids, reasons, grown, _ = measured(path)
    assert ids == ["1", "3"] and len(reasons) == 1 and reasons[0].startswith("big.csv, line 3: ")
    assert grown < 80


def test_a_header_of_a_million_columns_is_refused_at_once(tmp_path: Path) -> None:
    begun = time.monotonic()
    (only,) = told(read(tmp_path / "r.csv", b"id," + b"a," * 900_000 + b"b\n1\n"))
    assert "There are 900,002 columns" in only and time.monotonic() - begun < 5


# ------------------------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b'{"id": "x", "a": 1, "a": 2}', "'a' stands twice"),
        (b'{"id": "x", "a": ' + b'{"k":' * 10_000 + b"1" + b"}" * 10_000 + b"}", "not valid JSON"),
        (b'{"id": "x", "a": {"": {"": 1, "": 2}}}', "'' stands twice"),
        (b'{"id": "x", "a": [' + b"1," * 30_000 + b"1]}", "more than 20,000 values"),
        (b'{"id": "' + b"x" * 200_000 + b'"}', "identifier is longer"),
        (b'{"id": "x", "title": "Cut of', "not valid JSON"),
    ],
    ids=["twice", "deep", "empty twice", "many", "long id", "cut off"],
)
def test_a_bad_object_costs_only_itself(bad: bytes, words: str, run: Run) -> None:
    good = [json.dumps(practice(n)).encode() for n in (1, 2)]
    landed = run("r.jsonl", b"\n".join([good[0], bad, good[1]]))
    assert landed.titles == ["Practice 1", "Practice 2"] and words in landed.reasons
    assert landed.reasons.startswith("r.jsonl, line 2: ")


def test_empty_and_odd_keys_are_fields_like_others(run: Run) -> None:
    landed = run(
        "r.jsonl", json.dumps(practice(1, **{"": "a", "!": "b", "<<": "c", "é" * 300: "d"})).encode()
    )
    assert landed.titles == ["Practice 1"] and {"x", "x-2", "x-3"} < set(landed.report.unmapped)
    assert all(len(name) <= 100 for name in landed.report.unmapped)


def test_a_text_of_200_mb_inside_a_list_is_one_refusal(big: Path) -> None:
    path = big / "big.json"
    with path.open("wb") as out:
        out.write(b'{"items": [{"id": "1"}, {"id": "2", "a": "')
        for _ in range(200):
            out.write(b"y" * MB)
        out.write(b'"}, {"id": "3"}]}')
    ids, reasons, grown, _ = measured(path, records="items")
    assert ids == ["1", "3"] and reasons == [f"big.json, item 2: The item is longer than {LONGEST:,} bytes."]
    assert grown < 60


def test_a_list_that_is_cut_off_lands_what_is_whole(run: Run) -> None:
    text = json.dumps([practice(1), practice(2)])[:-30]
    landed = run("r.json", text.encode(), input='records = "."')
    assert landed.titles == ["Practice 1"] and "r.json, after item 1: The file is not whole" in landed.reasons


def test_brackets_without_end_do_not_fill_the_memory(big: Path) -> None:
    path = big / "big.json"
    path.write_bytes(b"[" * 30 * MB)
    ids, reasons, grown, _ = measured(path, records="items")
    assert not ids and "nests deeper than 10,000 levels" in reasons[0] and grown < 30


@pytest.mark.parametrize(
    "changes",
    [
        {"size": [0], "dimension": {"g": {"category": {"index": []}}}, "value": [1]},
        {"dimension": {"g": {"category": {"index": [1, 2]}}}},
        {"dimension": {"g": {"category": {"index": ["\ud800", "b"]}}}},
        {"value": "ab"},
        {"value": [[[[1]]], 2], "status": "e0"},
        {"value": [1, 2], "status": ["0"]},
    ],
    ids=["empty axis", "numbers as codes", "half a character", "a text", "nested values", "status is a list"],
)
def test_a_cube_that_is_none_is_told_without_an_accident(changes: dict[str, Any], tmp_path: Path) -> None:
    cube = {
        "id": ["g"],
        "size": [2],
        "dimension": {"g": {"category": {"index": ["a", "b"]}}},
        "value": [1, 2],
    }
    found = read(tmp_path / "r.json", json.dumps({**cube, **changes}).encode(), format="jsonstat", id="")
    assert found and not any("From here on the file cannot be read" in line for line in told(found))


def test_keys_that_become_one_name_take_no_hours(run: Run) -> None:
    record = practice(1, **{"!" * n: n for n in range(1, 2_000)})
    assert run("r.jsonl", json.dumps(record).encode()).titles == ["Practice 1"]


def test_fields_that_are_new_in_each_record_are_named_up_to_a_bound(run: Run) -> None:
    lines = [json.dumps(practice(n, **{f"k{n}-{m}": 1 for m in range(50)})) for n in range(60)]
    landed = run("r.jsonl", "\n".join(lines).encode())
    assert landed.report.landed == 60 and len(landed.report.unmapped) == 1_000


def test_lists_set_against_each_other_cost_only_their_own_record(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhu_graph.ingest.mapping.LARGEST_RESULT", 300_000)
    bomb = practice("bomb", id=[f"i{n}" for n in range(2_000)], title=[f"Title {n}" for n in range(2_000)])
    landed = run("r.jsonl", b"\n".join(json.dumps(r).encode() for r in (practice(1), bomb, practice(2))))
    assert landed.titles == ["Practice 1", "Practice 2"]
    assert (
        "r.jsonl, line 2: The record cannot be worked on: the map makes more than 300,000 bytes"
        in landed.reasons
    )


def test_a_thousand_values_that_no_function_can_use_are_told_in_short(run: Run) -> None:
    lines = [json.dumps(practice(n, country=[f"Nowhere {n} {m}" for m in range(400)])) for n in range(50)]
    landed = run("r.jsonl", "\n".join(lines).encode())
    assert landed.report.landed == 50 and landed.report.warnings <= 50 * 105


def test_a_record_on_which_a_library_fails_is_alone_in_quarantine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dhu_graph.ingest.validation import Validator

    honest = Validator.run

    def failing(self: Validator, batch: Any) -> Any:
        if any("Practice 2" in line for lines in batch for line in lines):
            raise RuntimeError("a fault in a library")
        return honest(self, batch)

    monkeypatch.setattr(Validator, "run", failing)
    landed = run("r.jsonl", b"\n".join(json.dumps(practice(n)).encode() for n in (1, 2, 3)))
    assert landed.titles == ["Practice 1", "Practice 3"]
    assert landed.reasons.startswith("r.jsonl, line 2: The record cannot be worked on: RuntimeError: a fault")


def test_a_quarantine_does_not_fill_the_disk(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dhu_graph.ingest.KEPT", 10)
    monkeypatch.setattr("dhu_graph.ingest.KEPT_BYTES", 35)
    landed = run("r.jsonl", b"not json\n" * 50 + json.dumps(practice(1)).encode())
    assert landed.titles == ["Practice 1"] and landed.report.quarantined == 50
    assert [row["native"] for row in landed.refused] == ["not json"] * 4 + [""] * 6


# ------------------------------------------------------------------------------------------------ HTML in titles


def test_scripts_in_titles_are_plain_text_in_graph_page_and_api(make_source, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from starlette.testclient import TestClient

    from dhu_graph import Engine
    from dhu_graph.web import create_app

    evil = '<script>alert("x")</script><img src=x onerror=alert(1)> {{7*7}}'
    path = write_lines(
        tmp_path / "records.jsonl",
        practice(
            1, title=evil, description=evil + " and a few words more.", words=["</title><svg/onload=x>"]
        ),
        practice(2),
    )
    source = make_source()
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        engine.ingest("small", str(path), folder=source.folder)
        with TestClient(create_app(engine), raise_server_exceptions=False) as client:
            api = client.get("/api/resources/practice/small-1")
            assert api.headers["content-type"].startswith("application/") and evil in str(api.json())
            for address in (
                "/id/practice/small-1.html",
                "/?q=alert",
                "/id/practice/small-2.html",
                "/graph/small.html",
            ):
                answer = client.get(address, headers={"Accept": "text/html"})
                assert answer.status_code == 200
                assert not any(tag in answer.text for tag in ("<script>alert", "<img src=x", "<svg/onload"))
                if address.endswith("small-1.html"):
                    assert "&lt;script&gt;alert(" in answer.text and "{{7*7}}" in answer.text
            assert (
                "script-src 'none'" in answer.headers["content-security-policy"]
                or "default-src" in answer.headers["content-security-policy"]
            )


# ------------------------------------------------------------------------------------------------ joins


def test_parts_that_share_an_identifier_without_end_are_refused_and_the_others_joined(tmp_path: Path) -> None:
    folder = tmp_path / "joined"
    folder.mkdir()
    inputs = "".join(
        f'[[input]]\nname = "{name}"\nfile = "{name}.jsonl"\nformat = "jsonl"\nid = "id"\njoined = "{how}"\n'
        for name, how in (("one", "one"), ("more", "many"))
    )
    head = (
        'title = "x"\nsummary = "x"\npublisher = "x"\nhomepage = "https://x.example.org/"\njoin = "outer"\n'
    )
    (folder / "source.toml").write_text(head + inputs)
    (folder / "map.rq").write_text("CONSTRUCT {} WHERE {}")
    write_lines(folder / "one.jsonl", {"id": "a"}, {"id": "b"}, {"id": "c"})
    heavy = {"id": "a", "text": "y" * 1_500_000}
    many = [{"id": "b", "n": n} for n in range(5_001)]
    write_lines(folder / "more.jsonl", *[heavy] * 4, *many, {"id": "c", "n": 1}, b"bad")
    source = sources.load("joined", folder)
    found = [
        entry for _, entry in sources.entries(source, sources.fetch(source, str(folder), tmp_path), tmp_path)
    ]
    assert [line.split(":")[0] for line in told(found)] == [
        "!more.jsonl, line 5007",
        "!more.jsonl, line 4 and before",
        "!more.jsonl, line 5004 and before",
        "c",
    ]
    assert "More than 5,000 parts or 5,000,000 bytes share 'a'" in told(found)[1]


def test_heavy_records_go_in_smaller_batches(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from dhu_graph.ingest.mapping import Mapping

    sizes, honest = [], Mapping.run

    def watched(self: Mapping, records: Any) -> Any:
        sizes.append(sum(len(record.native) for record in records))
        return honest(self, records)

    monkeypatch.setattr(Mapping, "run", watched)
    lines = [json.dumps(practice(n, words="y" * 900_000)) for n in range(15)]
    assert run("r.jsonl", "\n".join(lines).encode()).report.landed == 15
    assert len(sizes) == 3 and max(sizes) < 6_000_000
