"""Labels in 24 languages: complete, machine-made ones apart, and reviewed by way of a sheet."""

import csv
import io
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import labels, ontology
from dhu_graph.errors import BadInput, UsageError
from dhu_graph.ontology import EU_LANGUAGES, OP_COUNTRY, SKOS

ONTOLOGY = ontology.load()
OTHERS = EU_LANGUAGES[1:]


def test_every_concept_has_a_label_in_all_languages() -> None:
    """But the regions, whose names are the same in all."""
    found: dict[str, set[str]] = {}
    for iri, text, _ in ONTOLOGY.literals(SKOS + "prefLabel"):
        found.setdefault(iri, set()).add(text.language or "")
    schemes = [s for s in ONTOLOGY.schemes if "/nuts/" not in s]
    assert len(schemes) > 14
    missing = {
        iri: sorted(set(EU_LANGUAGES) - found.get(iri, set()))
        for scheme in schemes
        for iri in ONTOLOGY.schemes[scheme]
        if not set(EU_LANGUAGES) <= found.get(iri, set())
    }
    assert missing == {}


@pytest.mark.parametrize("language", OTHERS)
def test_every_term_of_ours_has_a_label_and_says_who_made_it(language: str) -> None:
    ours = ("ns#", "vocab/")
    rows = [row for row in labels.sheet(ONTOLOGY, language) if row.id.startswith(ours)]
    assert len(rows) > 240
    assert [row.id for row in rows if not row.label] == []
    machine = ox.NamedNode(ONTOLOGY.iri("graph/machine-labels"))
    made = {
        q.subject.value
        for q in ONTOLOGY.store.quads_for_pattern(None, None, None, machine)
        if isinstance(q.subject, ox.NamedNode) and getattr(q.object, "language", "") == language
    }
    assert {row.id for row in rows if row.status == "machine"} == {
        row.id for row in rows if ONTOLOGY.iri(row.id) in made
    }


def test_country_names_are_those_of_the_official_table() -> None:
    reference = Path(__file__).resolve().parents[2] / "shared/reference/op-authority-tables/countries.ttl"
    if not reference.is_file():
        pytest.skip("needs ../shared/reference, which is not part of the project")
    table = ox.Store()
    table.load(reference.read_bytes(), ox.RdfFormat.TURTLE)
    official = {
        (q.subject.value, q.object.language): q.object.value
        for q in table.quads_for_pattern(None, ox.NamedNode(SKOS + "prefLabel"), None, None)
        if isinstance(q.subject, ox.NamedNode) and isinstance(q.object, ox.Literal)
    }
    members = ONTOLOGY.schemes[OP_COUNTRY]
    wrong = [
        (iri, text.language, text.value)
        for iri, text, _ in ONTOLOGY.literals(SKOS + "prefLabel")
        # In some Bulgarian names the table has Latin letters that look like Cyrillic ones; those were put right.
        if iri in members and text.language != "bg" and official[iri, text.language] != text.value
    ]
    assert wrong == []


def test_a_reviewed_sheet_moves_labels_from_the_machine_to_people(tmp_path: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(labels.to_csv(labels.sheet(ONTOLOGY, "et"), "et"))))
    one, two = (
        line for line in lines if line["id"] in ("vocab/theme/telemedicine", "vocab/theme/mental-health")
    )
    one["label"], two["reviewed"] = "Kaugmeditsiin ja kaugravi", "yes"
    path = tmp_path / "labels-et.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, labels.COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    rows = labels.reviewed(ONTOLOGY, "et", labels.read(path))
    assert {row.id for row in rows if row.status == "reviewed"} == {one["id"], two["id"]}
    people, machine = labels.write(rows, "et", tmp_path / "labels")
    assert "Kaugmeditsiin ja kaugravi" in people.read_text(encoding="utf-8")
    assert one["id"] not in machine.read_text(encoding="utf-8")
    for path in (people, machine):
        ox.Store().load(path.read_bytes(), ox.RdfFormat.TURTLE)


def test_the_workbook_comes_back_as_it_went(tmp_path: Path) -> None:
    rows = labels.sheet(ONTOLOGY, "el")
    labels.to_xlsx(rows, "el", tmp_path / "labels-el.xlsx")
    assert labels.reviewed(ONTOLOGY, "el", labels.read(tmp_path / "labels-el.xlsx")) == rows


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "vocab/theme/nothing"}, "there is no term"),
        ({"label": "", "reviewed": "yes"}, "would have no label"),
        ({"label": "x" * 201}, "more than 200"),
        ({"language": "fi"}, "the sheet of 'fi', not of 'mt'"),
    ],
)
def test_a_sheet_that_cannot_stand_is_refused_with_its_line(
    change: dict[str, str], words: str, tmp_path: Path
) -> None:
    lines = list(csv.DictReader(io.StringIO(labels.to_csv(labels.sheet(ONTOLOGY, "mt"), "mt"))))
    lines[3] |= change
    path = tmp_path / "mt.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, labels.COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    with pytest.raises(BadInput, match=words) as error:
        labels.reviewed(ONTOLOGY, "mt", labels.read(path))
    assert "mt.csv, line 5" in str(error.value)


def test_a_label_of_another_concept_is_refused(tmp_path: Path) -> None:
    rows = labels.sheet(ONTOLOGY, "de")
    first, second = [row for row in rows if row.id.startswith("vocab/theme/")][:2]
    lines = [
        ("labels-de.csv, line 2", {"id": second.id, "label": first.label, "synonyms": "", "reviewed": "yes"})
    ]
    with pytest.raises(BadInput, match="is the label of"):
        labels.reviewed(ONTOLOGY, "de", lines)


def test_cells_that_a_spreadsheet_would_run_are_quoted() -> None:
    row = labels.Label("ns#x", "x", "", "=1+1", ("@me",), "machine")
    assert "'=1+1" in labels.to_csv([row], "de") and "'@me" in labels.to_csv([row], "de")


def test_other_languages_have_no_sheet() -> None:
    for language in ("en", "xx", "../de"):
        with pytest.raises(UsageError, match="no review sheet"):
            labels.sheet(ONTOLOGY, language)


def test_a_sheet_with_semicolons_is_read(tmp_path: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(labels.to_csv(labels.sheet(ONTOLOGY, "et"), "et"))))
    path = tmp_path / "et.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, labels.COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(lines)
    assert labels.reviewed(ONTOLOGY, "et", labels.read(path)) == labels.sheet(ONTOLOGY, "et")
