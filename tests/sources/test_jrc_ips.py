"""The JRC cases as they are: counts, places, and what happens to a case that is broken on purpose."""

import csv
import json
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import Engine
from dhu_graph.ontology import OP_COUNTRY, RDF_TYPE

NS = "https://w3id.org/dhu/ns#"
PRACTICE = "https://w3id.org/dhu/id/practice/jrc-ips-"
SPATIAL = ox.NamedNode("http://purl.org/dc/terms/spatial")
COUNTRIES = set(
    "AUT BEL CHE CYP CZE DEU DNK ESP EST EUR FIN FRA GBR GRC HRV IRL ITA LVA NLD NOR POL PRT SMR SVK SWE".split()
)


STATED = ox.NamedNode("https://w3id.org/dhu/graph/jrc-ips")
"""What the source says; what is derived from it stands elsewhere."""


def cases(store: ox.Store) -> set[str]:
    typed = store.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), ox.NamedNode(NS + "GoodPractice"), None)
    return {q.subject.value for q in typed if q.subject.value.startswith(PRACTICE)}


def test_853_are_read_119_land_and_734_are_out_of_scope(whole: Engine) -> None:
    report = {source.name: report for source, report in whole.sources()}["jrc-ips"]
    assert report is not None
    assert (report.read, report.in_scope, report.out_of_scope) == (853, 119, 734)
    assert (report.landed, report.quarantined, report.unmapped) == (119, 0, {})


def test_every_case_has_one_place_of_the_official_table(whole_graph: ox.Store) -> None:
    found = cases(whole_graph)
    assert len(found) == 119
    places = {
        case: [
            q.object.value for q in whole_graph.quads_for_pattern(ox.NamedNode(case), SPATIAL, None, STATED)
        ]
        for case in found
    }
    assert {len(p) for p in places.values()} == {1}
    assert {p.removeprefix(OP_COUNTRY + "/") for (p,) in places.values()} == COUNTRIES


def test_every_health_case_of_the_file_is_there_under_its_own_number(
    jrc_cases: Path, whole_graph: ox.Store
) -> None:
    with jrc_cases.open(encoding="utf-8-sig", newline="") as stream:
        wanted = {PRACTICE + row["id"] for row in csv.DictReader(stream) if row["primary_sector"] == "Health"}
    assert cases(whole_graph) == wanted


def test_every_case_says_that_its_status_is_of_2021(whole_graph: ox.Store) -> None:
    as_of = ox.NamedNode(NS + "asOf")
    for case in cases(whole_graph):
        (node,) = whole_graph.quads_for_pattern(
            ox.NamedNode(case), ox.NamedNode(NS + "maturityAssessment"), None, None
        )
        (year,) = whole_graph.quads_for_pattern(node.object, as_of, None, None)
        assert year.object.value == "2021"


def planted(jrc_cases: Path, copy: Path, field: str, value: str) -> list[str]:
    """Writes a copy of the file with one cell of one health case changed; returns the cells of that row."""
    with jrc_cases.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    row = next(
        r
        for r in rows
        if r[header.index("primary_sector")] == "Health" and r[header.index("start_date")] == "2020"
    )
    row[header.index(field)] = value
    with copy.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return row


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("end_date", "1999.0", "The start year lies after the end year. Check both against the source."),
        ("name", "", "A title of 3 to 300 characters is needed"),
        ("description", "Short.", "A description of 20 to 20,000 characters is needed"),
    ],
)
def test_a_broken_case_is_quarantined_in_the_words_of_the_shape_and_118_land(
    field: str, value: str, message: str, jrc_cases: Path, tmp_path: Path
) -> None:
    row = planted(jrc_cases, tmp_path / "cases.csv", field, value)
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        built = engine.ingest("jrc-ips", str(tmp_path / "cases.csv"))
        (report,) = built.reports
        assert (report.landed, report.quarantined) == (118, 1) and built.findings
        assert engine.shelf.current() == 1
        count = engine.query(f"SELECT (COUNT(?s) AS ?n) WHERE {{ ?s a <{NS}GoodPractice> }}")
    quarantine = tmp_path / "data" / "sources" / "jrc-ips" / "quarantine.jsonl"
    (refused,) = [json.loads(line) for line in quarantine.read_text(encoding="utf-8").splitlines()]
    assert refused["id"] == row[2]
    assert any(reason.startswith(message) for reason in refused["reasons"])
    assert next(csv.reader(refused["native"].splitlines(keepends=True))) == row
    assert count == [{"n": 118}]


def test_a_case_in_an_unknown_place_lands_without_it_and_the_report_says_so(
    jrc_cases: Path, tmp_path: Path
) -> None:
    row = planted(jrc_cases, tmp_path / "cases.csv", "geocoverage", "Atlantis")
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        (report,) = engine.ingest("jrc-ips", str(tmp_path / "cases.csv")).reports
        placed = engine.query(f"ASK {{ <{PRACTICE}{row[2]}> <{SPATIAL.value}> ?place }}")
    assert (report.landed, report.quarantined, placed) == (119, 0, False)
    assert any("'Atlantis'" in example for example in report.examples)
