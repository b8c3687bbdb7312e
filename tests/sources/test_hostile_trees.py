"""Hostile YAML, XML and workbooks: bombs, tags, entities, depth, and what does not fit in memory."""

import io
import json
import time
import zipfile
from pathlib import Path

import pytest
import xlsxwriter

from dhu_graph.sources.readers import LONGEST
from hostile import Run, measured, read, told
from small_sources import practice

MB = 1_000_000


def document(number: int, more: str = "") -> str:
    """A YAML document of a practice that is in order."""
    return "---\n" + "".join(f"{k}: {json.dumps(v)}\n" for k, v in practice(number).items()) + more


# ------------------------------------------------------------------------------------------------ YAML

LAUGHS = 'a0: &a0 ["lol", "lol"]\n' + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (LAUGHS, "more than 20,000 values"),
        (
            "t: &t " + "y" * 100_000 + f"\nu: [{', '.join(['*t'] * 1_000)}]\n",
            "longer than 5,000,000 characters",
        ),
        (
            "b: !!python/object/apply:os.system ['true']\nc: !!python/name:os.system x\n",
            "could not determine a constructor",
        ),
        ("words: 1\nwords: 2\n", "'words' stands twice"),
        ("<<: 3\n", "is no mapping"),
    ],
    ids=["laughs", "long laughs", "python", "twice", "merge of a number"],
)
def test_a_bad_document_is_named_and_the_others_land(more: str, words: str, run: Run) -> None:
    landed = run("r.yaml", (document(1) + document(2, more) + document(3)).encode())
    assert landed.titles == ["Practice 1", "Practice 3"]
    assert landed.reasons.startswith("r.yaml, document 2: ") and words in landed.reasons
    assert "number 1" not in landed.refused[0]["native"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("a: [1, 2\n", "not valid YAML in line 2"),
        ("id: x\ntext: 'cut of", "not valid YAML in line 2"),
        # PyYAML itself counts levels from 6.0.4 on, and says so in words of its own.
        ("a: " + "[" * 5_000, "nest"),
        ("- " * 5_000 + "a\n", "nest"),
        ("a: *b\n", "undefined alias"),
        ("a: &a [*a]\n", "nests deeper than 20 levels"),
        ("a: &a\n  <<: *a\n", "nests deeper than 20 levels"),
        ("a: [" + "1," * 400_000 + "1]", "more than 300,000 values"),
    ],
    ids=["flow", "cut off", "deep flow", "deep list", "alias", "circle", "merged circle", "many"],
)
def test_yaml_that_does_not_parse_is_told_with_its_place(bad: str, words: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    (only,) = told(read(tmp_path / "r.yaml", bad.encode()))
    assert only.startswith("!r.yaml: ") and words in only and time.monotonic() - begun < 5


def test_scalars_that_are_not_what_their_tag_says_stay_texts(tmp_path: Path) -> None:
    text = "id: 1\na: !!int ''\nb: !!bool maybe\nc: !!timestamp x\nd: 2024-02-31\ne: 1" + ":1" * 500_000
    begun = time.monotonic()
    (found,) = read(tmp_path / "r.yaml", text.encode())
    assert not told([found])[0].startswith("!") and time.monotonic() - begun < 5
    fields = dict(found.fields)  # type: ignore[union-attr]
    assert len(fields.pop("e")) == 1_000_001
    assert fields == {"id": 1, "a": "", "b": "maybe", "c": "x", "d": "2024-02-31"}


def test_merge_keys_are_merged(tmp_path: Path) -> None:
    text = "base: &b {title: Base, country: GR}\nid: 1\n<<: [*b, {country: FR, words: w}]\ntitle: Own\n"
    (found,) = read(tmp_path / "r.yaml", text.encode())
    assert {k: v for k, v in found.fields.items() if k != "base"} == {  # type: ignore[union-attr]
        "id": 1, "title": "Own", "country": "GR", "words": "w",
    }  # fmt: skip


def test_a_yaml_of_200_mb_is_refused_in_little_memory(big: Path) -> None:
    path = big / "big.yaml"
    with path.open("wb") as out:
        out.write(b"id: ")
        for _ in range(200):
            out.write(b"y" * MB)
    ids, reasons, grown, _ = measured(path)
    assert not ids and f"longer than {LONGEST:,} bytes" in reasons[0] and grown < 30


# ------------------------------------------------------------------------------------------------ XML


def element(number: int, more: str = "") -> str:
    """A practice as an element `item`."""
    return "<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in practice(number).items()) + more + "</item>"


ITEM = 'records = "item"\n'
BOMB = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
FILE = '<!DOCTYPE r [<!ENTITY c SYSTEM "file:///etc/passwd">]>'
OUTER = '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "utf-7"])
@pytest.mark.parametrize("doctype", [BOMB, FILE, OUTER], ids=["bomb", "file", "outer"])
def test_a_doctype_is_refused_in_any_encoding(doctype: str, encoding: str, tmp_path: Path) -> None:
    entity = "" if doctype == OUTER else "&c;"
    text = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}<r>{element(1, entity)}</r>'
    (only,) = told(read(tmp_path / "r.xml", text.encode(encoding), records="item"))
    assert only.startswith("!r.xml") and "root:" not in only
    assert "DOCTYPE" in only or "not valid XML" in only


def test_a_doctype_without_end_is_not_read_to_its_end(big: Path) -> None:
    path = big / "big.xml"
    with path.open("wb") as out:
        out.write(b"<!DOCTYPE r [")
        for n in range(200):
            out.write(b"".join(b'<!ENTITY e%d "x">' % (n * 10_000 + m) for m in range(10_000)))
    ids, reasons, grown, seconds = measured(path, records="item")
    assert not ids and "has no element in its first 1,000,000 bytes" in reasons[0]
    assert grown < 40 and seconds < 10


def test_an_xinclude_is_an_element_like_any_other(run: Run) -> None:
    more = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
    landed = run("r.xml", f"<r>{element(1, more)}</r>".encode(), input=ITEM)
    assert landed.titles == ["Practice 1"] and b"root:" not in b"".join(landed.lines)
    assert "include.href" in landed.report.unmapped


def test_a_hundred_thousand_attributes_cost_only_their_own_record(run: Run) -> None:
    many = "<item " + " ".join(f'a{n}="1"' for n in range(100_000)) + "><id>x</id></item>"
    landed = run("r.xml", f"<r>{element(1)}{many}{element(2)}</r>".encode(), input=ITEM)
    assert landed.titles == ["Practice 1", "Practice 2"]
    assert landed.reasons.startswith("r.xml, line 1: ") and "more than 20,000 values" in landed.reasons


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ("<a>" * 10_000 + "</a>" * 10_000, "Excessive depth"),
        ("<item><id>2</id><title>Cut of", "not valid XML from here on"),
        ("<item><id>2</id></items>", "not valid XML from here on"),
        ("<item>&nbsp;</item>", "not valid XML from here on"),
        ("<item><id>\x00</id></item>", "not valid XML from here on"),
    ],
    ids=["deep", "cut off", "wrong end", "entity", "nul"],
)
def test_what_stands_before_a_mistake_lands(tail: str, words: str, run: Run) -> None:
    landed = run("r.xml", f"<r>\n{element(1)}\n{tail}</r>".encode(), input=ITEM)
    assert landed.titles == ["Practice 1"] and words in landed.reasons
    assert landed.reasons.startswith("r.xml, line ")


def test_a_text_of_200_mb_is_refused_in_little_memory(big: Path) -> None:
    path = big / "big.xml"
    with path.open("wb") as out:
        out.write(b"<r><item><id>1</id></item><item><id>2</id><a>")
        for _ in range(200):
            out.write(b"y" * MB)
        out.write(b"</a></item></r>")
    ids, reasons, grown, _ = measured(path, records="item")
    assert ids == ["1"] and len(reasons) == 1 and "not valid XML from here on" in reasons[0] and grown < 60


@pytest.mark.parametrize("name", ["item", "other"])
def test_what_is_no_record_or_too_long_a_one_is_not_kept(name: str, big: Path) -> None:
    path = big / "big.xml"
    with path.open("wb") as out:
        out.write(b"<r><item><id>1</id></item><%s>" % name.encode())
        for _ in range(20):
            out.write(b"<a/>" * 10_000 + b"<b>some text</b>" * 10_000)
        out.write(b"</%s><item><id>3</id></item></r>" % name.encode())
    ids, reasons, grown, _ = measured(path, records="item")
    assert ids == ["1", "3"] and len(reasons) == (name == "item") and grown < 10


# ------------------------------------------------------------------------------------------------ workbooks

HEAD = ["id", "title", "description", "country"]


def workbook(path: Path, *more: list[str], **options: object) -> bytes:
    """A workbook of a practice that is in order, and other rows."""
    with xlsxwriter.Workbook(
        path, {"strings_to_urls": False, "strings_to_formulas": False, **options}
    ) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([HEAD, list(practice(1).values()), *more]):
            sheet.write_row(number, 0, row)
    return path.read_bytes()


def replaced(content: bytes, member: str, new: bytes) -> bytes:
    """A ZIP with another content of a member."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in old.namelist():
            archive.writestr(name, new if name == member else old.read(name))
    return out.getvalue()


def test_formulas_and_commands_in_cells_are_texts(tmp_path: Path, run: Run) -> None:
    command = "=cmd|' /C calc'!A0"
    content = workbook(tmp_path / "w.xlsx", ["2", command, "An invented practice for a test.", "GR"])
    formula = (
        b'<c r="B2" t="str"><f>WEBSERVICE("http://127.0.0.1:9/")&amp;[1]Sheet1!A1</f><v>Last value</v></c>'
    )
    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    begin = sheet.index(b'<c r="B2"')
    end = sheet.index(b"</c>", begin) + 4
    content = replaced(content, "xl/worksheets/sheet1.xml", sheet[:begin] + formula + sheet[end:])
    assert run("r.xlsx", content).titles == [command, "Last value"]


def test_a_million_empty_rows_are_no_records_and_no_memory(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "r.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, list(practice(1).values()))
        sheet.write_row(1_048_575, 0, ["last", "Far below", "An invented practice.", "GR"])
    ids, reasons, grown, seconds = measured(tmp_path / "r.xlsx")
    assert ids == ["1", "last"] and not reasons and grown < 10 and seconds < 20


def test_two_cells_in_far_corners_do_not_end_the_run(tmp_path: Path, run: Run) -> None:
    with xlsxwriter.Workbook(tmp_path / "r.xlsx") as book:
        book.add_worksheet().write(0, 0, "id")
        book.worksheets()[0].write(1_048_575, 16_383, "far")
    landed = run("r.xlsx", (tmp_path / "r.xlsx").read_bytes())
    assert landed.reasons.startswith("r.xlsx: ") and "takes more memory or time" in landed.reasons


def test_a_bomb_of_shared_strings_is_refused_before_it_is_unpacked(tmp_path: Path, run: Run) -> None:
    strings = b"<sst><si><t>" + b"y" * 200 * MB + b"</t></si></sst>"
    content = replaced(workbook(tmp_path / "w.xlsx"), "xl/sharedStrings.xml", strings)
    landed = run("r.xlsx", content)
    assert not landed.titles and "That is how a bomb looks" in landed.reasons


def test_a_row_of_6_mb_costs_only_itself(tmp_path: Path, run: Run) -> None:
    import random

    noise = random.Random(7)
    texts = ["".join(noise.choices("abcdefghij", k=30_000)) for _ in range(200)]
    content = workbook(tmp_path / "w.xlsx", ["2", *texts], ["3", "After", "An invented practice.", "GR"])
    landed = run("r.xlsx", content)
    assert landed.titles == ["After", "Practice 1"]
    assert landed.reasons == "r.xlsx, sheet Sheet1, row 3: The row is longer than 5,000,000 characters."


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "no sheet", "broken sheet", "doctype"])
def test_what_is_no_workbook_is_told(kind: str, tmp_path: Path, run: Run) -> None:
    whole = workbook(tmp_path / "w.xlsx")
    lol = b'<!DOCTYPE s [<!ENTITY a "aaaa">]><worksheet><sheetData><row><c t="str"><v>&a;</v></c></row></sheetData></worksheet>'
    content = {
        "empty": b"",
        "text": b"id,title\n1,x\n",
        "cut": whole[: len(whole) // 2],
        "no sheet": replaced(whole, "xl/workbook.xml", b"<workbook/>"),
        "broken sheet": replaced(whole, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='1'><c"),
        "doctype": replaced(whole, "xl/worksheets/sheet1.xml", lol),
    }[kind]
    landed = run("r.xlsx", content)
    assert not landed.titles and (landed.reasons.startswith("r.xlsx") or kind == "doctype")
    assert "From here on" not in landed.reasons and b"aaaa" not in b"".join(landed.lines)
