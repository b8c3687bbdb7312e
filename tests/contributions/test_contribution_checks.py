"""Every fault names its cell: values, what must be there, the shapes, and what is wrong with the file as a whole."""

from pathlib import Path

import pytest
from filled_templates import PRACTICE, in_words, to_csv, to_xlsx

from dhu_graph.contributions import Checked
from dhu_graph.contributions.checks import check
from dhu_graph.contributions.sheet import letters
from dhu_graph.errors import BadInput, UsageError
from dhu_graph.ontology import Ontology


def checked(path: Path, ontology: Ontology, organisation: str = "Land Nordtal") -> Checked:
    return check(path, path.name, organisation, ontology, largest=10_000_000, most_rows=2_000)


def told(path: Path, ontology: Ontology) -> list[str]:
    return [str(fault) for fault in checked(path, ontology).all_faults]


def test_a_wrong_word_is_told_with_its_cell_and_what_may_have_been_meant(
    ontology: Ontology, tmp_path: Path
) -> None:
    row = {**in_words(ontology, "de", PRACTICE), "themes": "Telmonitoring"}
    path = to_xlsx(ontology, tmp_path / "practices.xlsx", row, language="de")
    assert told(path, ontology) == [
        'practices.xlsx, sheet Beiträge, cell K5 (Thema): "Telmonitoring" is not in the list of themes; did you mean "Telemonitoring"?'
    ]


def test_a_name_in_another_language_leads_to_the_word_in_that_of_the_template(
    ontology: Ontology, tmp_path: Path
) -> None:
    """A label of any language is taken; a misspelt English one is answered in the language of the template."""
    row = {**PRACTICE, "countries": "Αυστρία", "themes": "Telemonitring", "care_settings": "At hme"}
    path = to_xlsx(ontology, tmp_path / "x.xlsx", row, language="el")
    found = checked(path, ontology)
    assert found.rows[0].fields["countries"] == ["AUT"]
    assert ontology.label(ontology.iri("vocab/theme/telemonitoring"), "el") in str(found.all_faults[0])


def test_in_csv_the_line_and_the_column_are_told(ontology: Ontology, tmp_path: Path) -> None:
    good = {**PRACTICE, "title": "One", "description": "A text\nof several lines, long enough."}
    path = to_csv(ontology, tmp_path / "p.csv", good, {**PRACTICE, "start_year": "soon"}, delimiter=";")
    assert told(path, ontology) == [
        'p.csv, line 7, column R (Start year): "soon" is not a year; write four digits, such as 2024.'
    ]


@pytest.mark.parametrize(
    ("row", "cell", "words"),
    [
        ({"description": "Too short."}, "F5 (Description)", "20 to 20,000 characters"),
        ({"title": "x"}, "E5 (Title)", "3 to 300 characters"),
        ({"start_year": "2024", "end_year": "2020"}, "R5 (Start year)", "after the end year"),
        ({"start_year": "1492"}, "R5 (Start year)", "between 1900 and 2099"),
        ({"need-2.side": "demand", "need-2.text": "ab"}, "AB5 (Need 2: title)", "3 to 1,000 characters"),
        ({"need-2.text": "A need"}, "AC5 (Need 2: side)", "Need 2: side is missing"),
        ({"barrier-3.side": "supply"}, "AN5 (Barrier 3: title)", "Barrier 3: title is missing"),
        ({"evidence-2.statement": "abc"}, "AT5 (Evidence 2: description)", "one statement"),
        ({"funding-1.source": "Fund", "funding-1.amount": "0"}, "AX5 (Funding 1: amount)", "above zero"),
        ({"funding-1.amount": "12"}, "AW5 (Funding 1: where the money comes from)", "is missing"),
        ({"funding-1.source": "F", "funding-1.amount": "much"}, "AX5 (Funding 1: amount)", "not a number"),
        ({"funding-1.source": "F", "funding-1.currency": "Taler"}, "AY5", "not in the list of currencies"),
        ({"lead.page": "https://a.example.org/"}, "U5 (Lead: title)", "Lead: title is missing"),
        ({"lead.name": "X"}, "U5 (Lead: title)", "name of 2 to 300 characters"),
        ({"lead.name": "Body", "lead.kind": "Hospitl"}, "V5 (Lead: type)", 'did you mean "Hospital"?'),
        (
            {"page": "nordtal.example.org/x"},
            "BC5 (Web page)",
            'did you mean "https://nordtal.example.org/x"?',
        ),
        ({"contact": "mailto:a@example.org"}, "BD5 (Contact page)", "not a web address"),
        ({"sources": "https://a.example.org javascript:alert(1)"}, "BE5 (Cited page)", "not a web address"),
        ({"regions": "AT33 | XX99"}, "H5 (Region (NUTS))", '"XX99" is not in the list of NUTS regions'),
        ({"kind": "organisation"}, "C5 (Kind)", "not in the list of kinds"),
        ({"language": "Klingon"}, "D5 (Language)", "not in the list of languages"),
        ({"description": "Ask anna.muster@example.org about it, please."}, "F5", "e-mail address"),
        ({"technologies": "anna@example.org"}, "L5 (Technology)", "e-mail address"),
    ],
)
def test_what_is_wrong_is_led_back_to_its_cell(
    row: dict[str, str], cell: str, words: str, ontology: Ontology, tmp_path: Path
) -> None:
    path = to_xlsx(ontology, tmp_path / "p.xlsx", {**PRACTICE, **row})
    (fault,) = told(path, ontology)
    assert fault.startswith(f"p.xlsx, sheet Contributions, cell {cell}"), fault
    assert words in fault


@pytest.mark.parametrize(
    ("key", "cell"), [("kind", "C5"), ("language", "D5"), ("title", "E5"), ("description", "F5")]
)
def test_what_must_be_there_is_told_where_it_is_missing(
    key: str, cell: str, ontology: Ontology, tmp_path: Path
) -> None:
    row = {name: value for name, value in PRACTICE.items() if name != key}
    (fault,) = checked(to_xlsx(ontology, tmp_path / "p.xlsx", row), ontology).all_faults
    assert (fault.cell, fault.column) == (f"cell {cell}", key) and fault.message.endswith("is missing.")


def test_good_rows_go_on_beside_bad_ones(ontology: Ontology, tmp_path: Path) -> None:
    rows = [
        {**PRACTICE, "title": f"Practice {n}", **({"themes": "?"} if n % 3 == 0 else {})} for n in range(9)
    ]
    found = checked(to_xlsx(ontology, tmp_path / "p.xlsx", *rows), ontology)
    assert [row.number for row in found.good] == [6, 7, 9, 10, 12, 13]
    assert [fault.cell for fault in found.all_faults] == ["cell K5", "cell K8", "cell K11"]


def test_the_funding_instrument_is_not_taken_for_the_funding_of_something(
    ontology: Ontology, tmp_path: Path
) -> None:
    """Both are called `funding` in IRIs: the title of an instrument stands in the column of titles."""
    path = to_xlsx(ontology, tmp_path / "p.xlsx", {**PRACTICE, "kind": "funding", "title": "x"})
    assert [fault.cell for fault in checked(path, ontology).all_faults] == ["cell E5"]


def test_a_missing_theme_or_lead_is_only_noted(ontology: Ontology, tmp_path: Path) -> None:
    row = {key: value for key, value in PRACTICE.items() if key != "themes"}
    (read,) = checked(to_xlsx(ontology, tmp_path / "p.xlsx", row), ontology).rows
    assert not read.faults and [(note.cell, note.column) for note in read.notes] == [
        ("cell K5", "themes"),
        ("cell U5", "lead.name"),
    ]


def test_the_same_item_twice_in_a_file_is_told(ontology: Ontology, tmp_path: Path) -> None:
    rows = [PRACTICE, {**PRACTICE, "title": PRACTICE["title"].upper()}, {**PRACTICE, "kind": "solution"}]
    rows += [{**PRACTICE, "id": "A", "title": "One thing"}, {**PRACTICE, "id": "a", "title": "Another thing"}]
    assert [
        (f.cell, f.message)
        for f in checked(to_xlsx(ontology, tmp_path / "p.xlsx", *rows), ontology).all_faults
    ] == [
        ("cell E6", "This is the same as in row 5; one row is one item."),
        ("cell B9", "This is the same as in row 8; one row is one item."),
    ]


def test_a_column_that_is_not_of_the_template_is_told_and_the_rest_taken(
    ontology: Ontology, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    cells = [PRACTICE[key] for key in ("kind", "language", "title", "description")]
    path.write_text(
        "kind,language,title,description,tilte\n" + ",".join(f'"{c}"' for c in [*cells, "x"]),
        encoding="utf-8",
    )
    found = checked(path, ontology)
    assert len(found.good) == 1
    assert [str(fault) for fault in found.all_faults] == [
        'p.csv, line 1, column E: "tilte": There is no such column in the template, so nothing in it is taken.'
    ]


def test_more_needs_than_the_template_offers_may_be_added(ontology: Ontology, tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    keys = [*PRACTICE, "need-7.text", "need-7.side"]
    cells = [*PRACTICE.values(), "A seventh need", "demand"]
    path.write_text(",".join(keys) + "\n" + ",".join(f'"{c}"' for c in cells) + "\n", encoding="utf-8")
    (row,) = checked(path, ontology).good
    assert row.fields["need"] == [{"text": "A seventh need", "side": "demand"}]


@pytest.mark.parametrize("name", ["p.csv", "p.xlsx"])
def test_without_the_row_of_machine_keys_nothing_is_guessed(
    name: str, ontology: Ontology, tmp_path: Path
) -> None:
    path = tmp_path / name
    if name == "p.csv":
        path.write_text("Titel,Beschreibung\nHerzfunk,Etwas\n", encoding="utf-8")
    else:
        import xlsxwriter

        with xlsxwriter.Workbook(str(path)) as book:
            book.add_worksheet("Beiträge").write_row(0, 0, ["Titel", "Beschreibung"])
    with pytest.raises(BadInput, match="machine keys"):
        checked(path, ontology)


def test_a_csv_in_another_encoding_is_told(ontology: Ontology, tmp_path: Path) -> None:
    path = to_csv(ontology, tmp_path / "p.csv", PRACTICE)
    path.write_bytes(path.read_bytes().decode("utf-8-sig").replace("–", "-").encode("cp1252"))
    (fault,) = told(path, ontology)
    assert "not valid utf-8" in fault and "CSV UTF-8" in fault and fault.startswith("p.csv, line 5:")


@pytest.mark.parametrize("name", ["", " ", "x", "a@example.org", "y" * 201])
def test_an_organisation_has_a_name(name: str, ontology: Ontology, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name of the organisation"):
        checked(to_xlsx(ontology, tmp_path / "p.xlsx", PRACTICE), ontology, name)


def test_a_file_that_is_not_there_is_told(ontology: Ontology, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file p.xlsx"):
        checked(tmp_path / "p.xlsx", ontology)


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    assert [letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
