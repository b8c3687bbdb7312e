"""The template: made from shapes and ontology, in every language, and read back as it was filled in."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pyoxigraph as ox
import pytest
from filled_templates import PRACTICE, in_words, to_csv, to_xlsx

from dhu_graph.contributions import template
from dhu_graph.contributions.checks import check
from dhu_graph.contributions.columns import LAYOUT, LEFT_OUT, MOST, column, columns, described, iri, rules
from dhu_graph.contributions.values import Values
from dhu_graph.errors import UsageError
from dhu_graph.ontology import EU_LANGUAGES, RDFS, Ontology

LIMITS = {"largest": 10_000_000, "most_rows": 2_000}
FULL = {
    **PRACTICE,
    "id": "HN-7",
    "countries": "AUT | DEU",
    "regions": "AT33",
    "region_name": "Nordtal",
    "scope": "regional",
    "themes": "telemonitoring | chronic-disease-management",
    "technologies": "mobile-app | Waage mit Funk",
    "target_groups": "patients | carers",
    "audiences": "professionals",
    "care_settings": "home",
    "maturity": "pilot",
    "status": "Probebetrieb",
    "end_year": "2024",
    "as_of": "2023",
    "lead.name": "Klinik Nordtal",
    "lead.kind": "hospital",
    "lead.page": "https://nordtal.example.org/",
    "partners": "Pflegedienst | Land",
    "need-1.text": "Verschlechterung früh erkennen",
    "need-1.side": "demand",
    "need-3.text": "Weniger Fahrten",
    "need-3.side": "supply",
    "need-3.kind": "care-access",
    "barrier-2.text": "Kein Tarif",
    "barrier-2.side": "supply",
    "evidence-1.statement": "Weniger Aufnahmen",
    "evidence-1.figure": "-12 %",
    "evidence-1.year": "2023",
    "funding-1.source": "Fonds Nordtal",
    "funding-1.amount": "120000.50",
    "funding-1.currency": "EUR",
    "legal": "Verordnung; Teil 2",
    "standards": "HL7 FHIR | ISO 13606",
    "licence": "EUPL-1.2",
    "page": "https://nordtal.example.org/herzfunk",
    "contact": "https://nordtal.example.org/kontakt",
    "sources": "https://nordtal.example.org/a | https://nordtal.example.org/b",
}


@pytest.mark.parametrize("form", ["xlsx", "csv", "csv;"])
@pytest.mark.parametrize("language", ["de", "el", "mt"])
def test_a_translated_template_is_read_back_as_it_was_filled_in(
    language: str, form: str, ontology: Ontology, tmp_path: Path
) -> None:
    row = in_words(ontology, language, FULL)
    assert row["maturity"] != "pilot" and row["countries"] != FULL["countries"]
    path = tmp_path / f"practices.{form[:4].rstrip(';')}"
    if form == "xlsx":
        to_xlsx(ontology, path, row, language=language)
    else:
        to_csv(ontology, path, row, language=language, delimiter=form[3:] or ",")
    (read,) = check(path, path.name, "Land Nordtal", ontology, **LIMITS).rows
    assert [str(fault) for fault in read.faults] == []
    assert read.fields == {
        "own_id": "HN-7",
        "kind": "practice",
        "language": "de",
        "title": PRACTICE["title"],
        "description": PRACTICE["description"],
        "countries": ["AUT", "DEU"],
        "regions": ["AT33"],
        "region_name": ["Nordtal"],
        "scope": "regional",
        "themes": ["telemonitoring", "chronic-disease-management"],
        "technologies": ["mobile-app", "Waage mit Funk"],
        "target_groups": ["patients", "carers"],
        "audiences": ["professionals"],
        "care_settings": ["home"],
        "maturity": "pilot",
        "status": "Probebetrieb",
        "start_year": "2019",
        "end_year": "2024",
        "as_of": "2023",
        "lead": {"name": "Klinik Nordtal", "kind": "hospital", "page": "https://nordtal.example.org/"},
        "partners": ["Pflegedienst", "Land"],
        "need": [
            {"text": "Verschlechterung früh erkennen", "side": "demand"},
            {"text": "Weniger Fahrten", "side": "supply", "kind": "care-access"},
        ],
        "barrier": [{"text": "Kein Tarif", "side": "supply"}],
        "evidence": [{"statement": "Weniger Aufnahmen", "figure": "-12 %", "year": "2023"}],
        "funding": [{"source": "Fonds Nordtal", "amount": "120000.5", "currency": "EUR"}],
        "legal": ["Verordnung; Teil 2"],
        "standards": ["HL7 FHIR", "ISO 13606"],
        "licence": "EUPL-1.2",
        "page": "https://nordtal.example.org/herzfunk",
        "contact": "https://nordtal.example.org/kontakt",
        "sources": ["https://nordtal.example.org/a", "https://nordtal.example.org/b"],
    }


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("language", EU_LANGUAGES)
def test_an_untouched_template_has_no_contribution(
    language: str, form: str, ontology: Ontology, tmp_path: Path
) -> None:
    path = tmp_path / f"empty.{form}"
    path.write_bytes(template.made(ontology, language, form))
    assert check(path, path.name, "Somebody", ontology, **LIMITS).rows == []


@pytest.mark.parametrize("language", EU_LANGUAGES)
def test_the_example_is_in_order_once_it_is_no_example_any_more(
    language: str, ontology: Ontology, tmp_path: Path
) -> None:
    keys, _, _, example = template.rows(ontology, language)
    row = dict(zip(keys, example, strict=True)) | {"title": "Another title"}
    path = to_csv(
        ontology, tmp_path / "x.csv", {k: v for k, v in row.items() if k != "#" and v}, language=language
    )
    filled = check(path, "x.csv", "Somebody", ontology, **LIMITS)
    # The parts of needs and barriers show a side only; their texts are the contributor's.
    assert {fault.column for fault in filled.all_faults} <= {"need-1.text", "barrier-1.text", "lead.name"}
    assert len([v for v in example if v]) >= 15


def test_an_example_that_was_written_over_is_a_contribution(ontology: Ontology, tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(template.made(ontology, "de", "csv").decode("utf-8-sig"))))
    place = {key: number for number, key in enumerate(rows[0])}
    assert rows[3][0] == "example"
    rows[3] = ["example"] + [""] * (len(place) - 1)
    for key, value in PRACTICE.items():
        rows[3][place[key]] = value
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    path = tmp_path / "over.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    (row,) = check(path, "over.csv", "Somebody", ontology, **LIMITS).good
    assert (row.number, row.fields["title"]) == (4, PRACTICE["title"])


def test_every_property_of_what_is_described_has_a_column_or_a_reason(ontology: Ontology) -> None:
    asked = {iri(ontology, via or name) for _, name, via, _ in LAYOUT}
    reasons = {iri(ontology, name) for name in LEFT_OUT}
    shaped = set(rules(ontology, ontology.iri("ns#GoodPractice")))
    domain = ox.NamedNode(RDFS + "domain")
    top = ox.NamedNode(ontology.iri("ns#Resource"))
    owned = {q.subject.value for q in ontology.store.quads_for_pattern(None, domain, top, None)}
    derived = {"http://www.w3.org/ns/prov#wasDerivedFrom"}
    assert (shaped | owned) - derived - asked - reasons == set()
    assert reasons <= shaped | owned and all(len(reason) > 10 for reason in LEFT_OUT.values())


def test_what_a_column_takes_comes_from_the_shapes(ontology: Ontology) -> None:
    title, themes = column(ontology, "title"), column(ontology, "themes")
    side, year, page = (column(ontology, key) for key in ("need-2.side", "start_year", "page"))
    assert title and (title.required, title.shortest, title.longest) == (True, 3, 300)
    assert themes and (themes.form, themes.scheme, themes.several) == ("concept", "theme", True)
    assert side and (side.form, side.scheme, side.required, side.several) == ("concept", "side", True, False)
    assert year and page and (year.form, page.form) == ("year", "web")
    kinds = {ontology.kinds[each] for each in described(ontology)}
    assert {"practice", "solution", "service", "policy"} <= kinds and not {"need", "organisation"} & kinds


def test_a_group_may_be_repeated_up_to_a_bound(ontology: Ontology) -> None:
    assert (column(ontology, f"need-{MOST}.text") or title_less()).number == MOST
    assert column(ontology, f"need-{MOST + 1}.text") is None
    assert column(ontology, "need.text") is None and column(ontology, "nonsense") is None


def title_less() -> None:
    raise AssertionError("there is no such column")


@pytest.mark.parametrize("language", EU_LANGUAGES)
def test_labels_are_in_the_language_and_no_two_are_the_same(language: str, ontology: Ontology) -> None:
    keys, labels, helps, _ = template.rows(ontology, language)
    assert len(set(labels)) == len(labels) == len(keys) and all(labels) and all(helps)
    english = template.rows(ontology, "en")[1]
    if language != "en":
        same = [label for label, other in zip(labels[1:], english[1:], strict=True) if label == other]
        assert len(same) <= 6, same


def test_no_choice_holds_a_sign_that_parts_lists(ontology: Ontology) -> None:
    for language in EU_LANGUAGES:
        values = Values(ontology, language)
        for each in columns(ontology):
            options = values.options(each)
            assert len(set(options)) == len(options)
            assert not [o for o in options if each.several and re.search(r"[|;\n]", o)], (language, each.key)


def test_the_workbook_guides_whoever_fills_it_in(ontology: Ontology, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(template.made(ontology, "de"))) as book:
        page, lists = (book.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2))
        texts = book.read("xl/sharedStrings.xml").decode()
    assert '<row r="1" spans' in page and 'hidden="1"' in page.split("<row", 2)[1]
    assert re.search(r'<col min="1" max="1"[^>]*hidden="1"', page)
    assert 'state="frozen"' in page and page.count("<dataValidation ") == len(columns(ontology))
    assert page.count('type="list"') >= 15 and "Listen" in page and lists.count("<row ") > 200
    assert "Titel *" in texts and "Österreich" in texts and "gute Praxis" in texts


def test_nothing_in_a_template_is_a_formula(
    ontology: Ontology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {
        **template.words("en"),
        "title": '=HYPERLINK("https://bad.example.org")',
        "description": "@SUM(1)",
    }
    monkeypatch.setattr(template, "words", lambda language: hostile)
    with zipfile.ZipFile(io.BytesIO(template.made(ontology, "en"))) as book:
        pages = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
    assert pages and not any("<f>" in page.split("<dataValidations")[0] for page in pages)
    rows = list(csv.reader(io.StringIO(template.made(ontology, "en", "csv").decode("utf-8-sig"))))
    assert any(cell.startswith("'=HYPERLINK") for cell in rows[3])
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_the_same_template_has_the_same_bytes(ontology: Ontology) -> None:
    assert template.made(ontology, "mt") == template.made(ontology, "mt")


@pytest.mark.parametrize(("language", "form"), [("tlh", "xlsx"), ("de", "ods")])
def test_what_there_is_no_template_for_is_told(language: str, form: str, ontology: Ontology) -> None:
    with pytest.raises(UsageError, match="There is no template in the"):
        template.made(ontology, language, form)
