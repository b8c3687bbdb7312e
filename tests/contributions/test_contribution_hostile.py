"""What a stranger may send: bombs, cells in the last corner, far too much of everything, texts that look like code."""

import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from filled_templates import PRACTICE, to_csv, to_xlsx

from dhu_graph.contributions.checks import check
from dhu_graph.contributions.workbook import opened
from dhu_graph.errors import BadInput
from dhu_graph.ontology import Ontology

LIMITS = {"largest": 10_000_000, "most_rows": 2_000}


def refused(path: Path, ontology: Ontology, **limits: int) -> str:
    with pytest.raises(BadInput) as caught:
        check(path, path.name, "Land Nordtal", ontology, **{**LIMITS, **limits})
    return caught.value.detail


def repacked(path: Path, ontology: Ontology, name: str, content: bytes) -> Path:
    """A filled-in workbook with one part replaced."""
    whole = to_xlsx(ontology, path.with_name("whole.xlsx"), PRACTICE)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return path


def test_a_file_above_the_limit_is_not_even_opened(ontology: Ontology, tmp_path: Path) -> None:
    path = tmp_path / "big.xlsx"
    path.write_bytes(b"PK\x03\x04" + b"\0" * 10_000_000)
    assert "at most 10,000,000 are taken" in refused(path, ontology)


@pytest.mark.parametrize("name", ["p.xlsx", "p.csv"])
def test_more_rows_than_are_taken_are_refused(name: str, ontology: Ontology, tmp_path: Path) -> None:
    rows = [{**PRACTICE, "title": f"Practice {n}"} for n in range(12)]
    path = (to_xlsx if name == "p.xlsx" else to_csv)(ontology, tmp_path / name, *rows)
    assert "more than 11 rows" in refused(path, ontology, most_rows=11)
    assert len(check(path, name, "Land Nordtal", ontology, largest=10**7, most_rows=12).good) == 12


def test_a_bomb_is_told_from_its_table_of_contents(ontology: Ontology, tmp_path: Path) -> None:
    path = repacked(tmp_path / "bomb.xlsx", ontology, "xl/sharedStrings.xml", b" " * 100_000_000)
    assert path.stat().st_size < 200_000
    assert "unpacks to more than" in refused(path, ontology)


def test_a_bomb_that_lies_about_its_size_ends_its_own_process_only(
    ontology: Ontology, tmp_path: Path
) -> None:
    path = repacked(tmp_path / "liar.xlsx", ontology, "xl/sharedStrings.xml", b"<a>" * 50_000_000)
    assert path.stat().st_size < 10_000_000
    content = bytearray(path.read_bytes())
    size = (150_000_000).to_bytes(4, "little")
    while (place := content.find(size)) >= 0:
        content[place : place + 4] = (1_000).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    told = refused(path, ontology)
    assert "cannot be read" in told or "not a workbook that can be read" in told or "no sheet" in told


def test_a_cell_in_the_last_corner_ends_its_own_process_only(ontology: Ontology, tmp_path: Path) -> None:
    """The reader asks for half a terabyte for this file of 7 KB, and ends the process that asked."""
    path = tmp_path / "corner.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(PRACTICE))
        page.write(1_048_575, 16_383, "x")
    assert path.stat().st_size < 10_000
    assert "more memory or time" in refused(path, ontology)


@pytest.mark.parametrize("count", [200, 3_000])
@pytest.mark.parametrize("name", ["wide.xlsx", "wide.csv"])
def test_two_hundred_columns_are_refused(name: str, count: int, ontology: Ontology, tmp_path: Path) -> None:
    path = tmp_path / name
    keys = [*PRACTICE, *(f"column_{n}" for n in range(count - len(PRACTICE)))]
    if name.endswith("csv"):
        path.write_text(",".join(keys)[:90_000] + "\n", encoding="utf-8")
    else:
        with xlsxwriter.Workbook(str(path)) as book:
            book.add_worksheet().write_row(0, 0, keys)
    assert "columns; at most 150 are taken" in refused(path, ontology)


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", b"PK\x03\x04garbage" * 100, b"\x00\xff\xfe\x00", b"", b"\n\n\n", b"{}", b'"kind'],
)
@pytest.mark.parametrize("name", ["x.xlsx", "x.csv"])
def test_what_is_no_file_of_a_spreadsheet_is_told(
    name: str, content: bytes, ontology: Ontology, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path, ontology).startswith(name)


def test_a_workbook_without_its_parts_is_told(ontology: Ontology, tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../evil.txt", "x")
    assert refused(path, ontology).startswith("x.xlsx is not a workbook")


def test_entities_of_a_workbook_are_not_followed(ontology: Ontology, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("not for you")
    text = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><sst><si><t>&x;</t></si></sst>'
    path = repacked(tmp_path / "xxe.xlsx", ontology, "xl/sharedStrings.xml", text.encode())
    assert "not for you" not in refused(path, ontology)


def test_a_formula_counts_as_what_it_shows(ontology: Ontology, tmp_path: Path) -> None:
    path = tmp_path / "formula.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(PRACTICE))
        page.write_row(1, 0, list(PRACTICE.values()))
        page.write_formula(
            1, list(PRACTICE).index("title"), '=WEBSERVICE("http://bad.example.org")', value="Shown"
        )
    (row,) = check(path, path.name, "Land Nordtal", ontology, **LIMITS).good
    assert row.fields["title"] == "Shown"


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        '"> <img src=x onerror=alert(1)>',
        "Robert'); DROP TABLE contribution;--",
        'a" . <x> <y> <z> . "',
        "‮right to left",
    ],
)
@pytest.mark.parametrize("name", ["p.xlsx", "p.csv"])
def test_titles_that_look_like_code_stay_texts(
    name: str, title: str, ontology: Ontology, tmp_path: Path
) -> None:
    path = (to_xlsx if name == "p.xlsx" else to_csv)(ontology, tmp_path / name, {**PRACTICE, "title": title})
    (row,) = check(path, name, "Land Nordtal", ontology, **LIMITS).rows
    assert not row.faults and row.fields["title"] == title


def test_a_message_shows_nothing_that_a_terminal_would_obey(ontology: Ontology, tmp_path: Path) -> None:
    path = to_csv(ontology, tmp_path / "p.csv", {**PRACTICE, "themes": "\x1b[2Jgone\x07" + "x" * 500})
    (fault,) = check(path, "p.csv", "Land Nordtal", ontology, **LIMITS).all_faults
    assert str(fault).isprintable() and len(str(fault)) < 300


def test_the_reader_of_workbooks_stops_after_the_rows_that_are_taken(
    ontology: Ontology, tmp_path: Path
) -> None:
    rows = [{**PRACTICE, "title": f"Practice {n}"} for n in range(50)]
    found = opened(to_xlsx(ontology, tmp_path / "p.xlsx", *rows), "p.xlsx", 10)
    assert len(found) == 12
