"""What is promised of each source: every real record is in the graph, or listed with its reason."""

import csv
import io
import json
from pathlib import Path

import pytest

from dhu_graph import Engine
from dhu_graph.ontology import OP_COUNTRY

EU27 = set(
    "AUT BEL BGR CYP CZE DEU DNK ESP EST FIN FRA GRC HRV HUN IRL ITA LTU LUX LVA MLT NLD POL PRT ROU SVK SVN SWE".split()
)


def column(radar: Engine, query: str) -> list[str]:
    rows = radar.query(query)
    assert isinstance(rows, list)
    return [str(next(iter(row.values()))) for row in rows]


def starter_records() -> list[dict[str, object]]:
    folder = Path(__file__).resolve().parents[2] / "ingest/starter/catalogue"
    return [
        json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()
    ]


def test_every_starter_record_is_in_the_graph(radar: Engine) -> None:
    report = next(report for source, report in radar.sources() if source.name == "starter")
    assert report is not None
    assert (report.read, report.landed, report.quarantined, report.unmapped) == (428, 428, 0, {})
    ids = column(
        radar,
        "SELECT ?id { ?r a dhu:Record ; dct:isPartOf <https://w3id.org/dhu/id/source/starter> ; dct:identifier ?id }",
    )
    assert sorted(ids) == sorted(str(record["id"]) for record in starter_records())


def test_all_countries_of_the_union_are_covered(radar: Engine) -> None:
    found = column(radar, "SELECT DISTINCT ?c { ?s dct:spatial ?c ; dct:description ?d }")
    assert EU27 <= {iri.rsplit("/", 1)[-1] for iri in found}


def test_the_cited_pages_of_the_starter_are_kept_field_by_field(radar: Engine) -> None:
    expected = {
        (str(record["id"]), source["url"])
        for record in starter_records()
        for source in record["sources"]  # type: ignore[attr-defined]
    }
    rows = radar.query(
        "SELECT ?id ?page (COUNT(?p) AS ?fields) { ?s dhu:citation ?c ; prov:wasDerivedFrom/dct:identifier ?id . ?c dct:source ?page ; dhu:supports ?p } GROUP BY ?id ?page"
    )
    assert isinstance(rows, list)
    assert len(rows) == len(expected)
    assert all(row["fields"] > 0 for row in rows)


def test_the_figures_of_the_indicators_are_all_there(radar: Engine) -> None:
    rows = radar.query(
        "SELECT ?d (COUNT(*) AS ?n) { ?o a dhu:IndicatorObservation ; qb:dataSet ?d } GROUP BY ?d"
    )
    assert isinstance(rows, list)
    assert {row["d"].rsplit("/", 1)[-1]: row["n"] for row in rows} == {
        "desi-access-to-health-records": 28 * 4,
        "eurostat-own-health-records-online": 107,
    }


@pytest.mark.parametrize("structure", ["uptake", "indicator"])
def test_observations_have_each_dimension_once_and_differ_in_one(radar: Engine, structure: str) -> None:
    """Integrity constraints 11 and 12 of https://www.w3.org/TR/vocab-data-cube/."""
    dimensions = column(
        radar,
        f"SELECT ?p {{ <https://w3id.org/dhu/id/structure/{structure}> qb:component/qb:dimension ?p }} ORDER BY ?p",
    )
    names = [f"?d{n}" for n in range(len(dimensions))]
    patterns = " ".join(f"?o <{p}> {name} ." for p, name in zip(dimensions, names, strict=True))
    rows = radar.query(
        f"SELECT ?o ?set {' '.join(names)} {{ ?o qb:dataSet ?set . ?set qb:structure <https://w3id.org/dhu/id/structure/{structure}> . {patterns} }}"
    )
    every = column(
        radar,
        f"SELECT DISTINCT ?o {{ ?o qb:dataSet/qb:structure <https://w3id.org/dhu/id/structure/{structure}> }}",
    )
    assert isinstance(rows, list)
    assert len(rows) == len(every) > 200
    assert len({tuple(value for name, value in row.items() if name != "o") for row in rows}) == len(rows)


def test_the_health_cases_of_the_jrc_are_in_the_graph_with_official_places(whole: Engine) -> None:
    report = next(report for source, report in whole.sources() if source.name == "jrc-ips")
    assert report is not None
    assert (report.read, report.in_scope, report.out_of_scope, report.landed) == (853, 119, 734, 119)
    rows = whole.query(
        "SELECT ?s (GROUP_CONCAT(STR(?place)) AS ?places) { GRAPH <https://w3id.org/dhu/graph/jrc-ips> { ?s a dhu:GoodPractice ; dct:spatial ?place } } GROUP BY ?s"
    )
    assert isinstance(rows, list)
    assert len(rows) == 119
    known = whole.ontology.schemes[OP_COUNTRY]
    places = [row["places"] for row in rows]
    assert all(place in known for place in places)
    assert {"SMR", "EUR", "CZE"} <= {place.rsplit("/", 1)[-1] for place in places}


def test_a_planted_bad_case_is_quarantined_with_the_words_of_the_shape(tmp_path: Path, shared: Path) -> None:
    with (shared / "data/jrc-ips-explorer/data/cases.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    header = rows[0]
    bad = next(row for row in rows if row[header.index("primary_sector")] == "Health")
    bad[header.index("start_date")], bad[header.index("end_date")] = "2021", "2001.0"
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    (tmp_path / "cases.csv").write_text(out.getvalue(), encoding="utf-8")
    with Engine.open(data=tmp_path / "data", embed=False) as radar:
        built = radar.ingest("jrc-ips", str(tmp_path / "cases.csv"))
        assert built.findings
        assert (built.reports[0].landed, built.reports[0].quarantined) == (118, 1)
        [entry] = map(
            json.loads, (tmp_path / "data/sources/jrc-ips/quarantine.jsonl").read_text().splitlines()
        )
        assert entry["id"] == bad[header.index("id")]
        assert "The start year lies after the end year" in entry["reasons"][0]
        assert bad[header.index("name")] in entry["native"]
        assert len(column(radar, "SELECT ?s { ?s a dhu:GoodPractice }")) == 118
