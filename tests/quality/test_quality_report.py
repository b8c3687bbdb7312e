"""The quality report, counted by hand on a small source, and recounted from the graph of the starter radar."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from dhu_graph import Engine, quads, quality
from dhu_graph.cli import app
from dhu_graph.errors import UnknownName
from dhu_graph.ingest import Report
from dhu_graph.link import Judged, Linked, Thing
from dhu_graph.ontology import Ontology
from dhu_graph.quality import table
from dhu_graph.quality.content import Content, count
from dhu_graph.quality.points import indicators
from dhu_graph.web import create_app
from small_sources import practice, write_lines

DQV = "http://www.w3.org/ns/dqv#"
RECORDS: list[dict[str, Any]] = [
    practice(1, start="2019", words="falls"),
    practice(2, country="FR", start="2020"),
    practice(3, country="", start="no year"),
    practice(4, title="x"),
]
"""One without a country, one with a start that no map can use, and one whose title no shape lets in."""


def ingested(engine: Engine, source: Any, folder: Path, *records: dict[str, Any]) -> Any:
    path = write_lines(folder / "records.jsonl", *records)
    return engine.ingest("small", str(path), folder=source.folder)


@pytest.fixture
def small(make_source: Any, tmp_path: Path) -> Iterator[tuple[Engine, Any]]:
    source = make_source()
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        yield engine, source


def of(engine: Engine, source: str = "small") -> dict[tuple[str, str], str]:
    """(metric, part or year) → value, of the newest release."""
    engine.refresh()
    return {(f.metric, f.part or f.year): f.value for f in engine.quality(source)}


# ------------------------------------------------------------------------------------------------ what is counted


def test_completeness_and_coverage_are_shares_of_what_landed(small: Any, tmp_path: Path) -> None:
    engine, source = small
    ingested(engine, source, tmp_path, *RECORDS)
    figures = of(engine)
    assert figures["resources", ""] == "3"
    assert figures["with-description", ""] == "1"
    assert figures["with-country", ""] == "0.6667"
    assert figures["with-start-year", ""] == "0.6667"
    assert figures["with-lead", ""] == figures["with-theme", ""] == "0"
    assert figures["with-licence", ""] == "1"
    assert figures["countries", ""] == "2" and figures["themes", ""] == "0"
    (missing,) = [f for f in engine.quality("small") if f.metric == "eu-countries-without"]
    assert missing.value == "25" and missing.most == 27 and len(missing.places) == 25
    assert not [place for place in missing.places if place.endswith(("/GRC", "/FRA"))]


def test_conformity_says_what_is_in_quarantine_and_by_which_rule(small: Any, tmp_path: Path) -> None:
    engine, source = small
    built = ingested(engine, source, tmp_path, *RECORDS)
    figures = of(engine)
    assert figures["records-read", ""] == "4" and figures["records-landed", ""] == "3"
    assert figures["records-quarantined", ""] == "1"
    assert figures["findings-by-shape", "title"] == "1"
    assert figures["findings-by-shape", "map"] == "1"
    noted = [
        int(v) for (metric, shape), v in figures.items() if metric == "findings-by-shape" and shape != "title"
    ]
    assert sum(noted) == int(figures["notes", ""]) == built.reports[0].warnings


def test_a_text_that_looks_like_a_finding_is_counted_as_what_it_is(small: Any, tmp_path: Path) -> None:
    """What a record says stands in the messages of the map; it must not choose the rule."""
    engine, source = small
    forged = "No lead organisation is given, so nobody knows whom to ask. [leadGiven: x]"
    ingested(engine, source, tmp_path, practice(1))
    before = of(engine).get(("findings-by-shape", "leadGiven"), "0")
    ingested(engine, source, tmp_path, practice(1, start=forged))
    figures = of(engine)
    assert figures["findings-by-shape", "map"] == "1"
    assert figures.get(("findings-by-shape", "leadGiven"), "0") == before


def test_a_run_that_is_out_of_bounds_leaves_the_figures_of_the_graph_that_stays(
    make_source: Any, tmp_path: Path
) -> None:
    source = make_source(more="[expect]\nmin = 2\n")
    text = (source.folder / "source.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[expect]\nmin = 2\n")
    (source.folder / "source.toml").write_text(head + rest + "\n[expect]\nmin = 2\n", encoding="utf-8")
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        ingested(engine, source, tmp_path, practice(1), practice(2))
        before = of(engine)
        built = ingested(engine, source, tmp_path, practice(1))
        assert built.reports[0].kept_previous and built.release is None
        assert of(engine) == before


def test_freshness_takes_the_lower_median_and_the_latest_year_of_each(ontology: Ontology) -> None:
    found = _counted(
        ontology,
        *(
            _practice(n, f'<{NS}asOf> "{year}"^^<http://www.w3.org/2001/XMLSchema#gYear>')
            for n, year in enumerate((2020, 2021, 2023, 2024))
        ),
        f'<{BASE}id/practice/p-0> <{NS}asOf> "2022"^^<http://www.w3.org/2001/XMLSchema#gYear>',
    )
    assert found.as_of == {"2021": 1, "2022": 1, "2023": 1, "2024": 1}
    assert quality._median(found.as_of) == "2022"


def test_parts_figures_and_bodies_are_no_described_resources(ontology: Ontology) -> None:
    types = f"<{RDF}type>"
    found = _counted(
        ontology,
        f"<{BASE}id/practice/p> {types} <{NS}GoodPractice>",
        f"<{BASE}id/practice/p#place> {types} <{NS}GoodPractice>",
        f"<{BASE}id/organisation/o> {types} <{NS}Organisation>",
        f"<{BASE}id/need/n> {types} <{NS}Need>",
        f"<{BASE}id/observation/i> {types} <{NS}IndicatorObservation>",
        f"<{BASE}id/observation/i> <{NS}refArea> <http://publications.europa.eu/resource/authority/country/MLT>",
    )
    assert found.resources == 1 and [c[-3:] for c in found.countries] == ["MLT"]


def test_joined_things_and_waiting_pairs_are_counted_once_for_each_source() -> None:
    a, b, c, d = (f"https://w3id.org/dhu/id/practice/{name}" for name in ("x-1", "x-2", "y-1", "y-2"))
    linked = Linked(
        things=(Thing(a, (b, c), ()),),
        review=(Judged(b, d, 0.5), Judged(c, d, 0.4)),
        sources={a: "x", b: "x", c: "y", d: "y"},
    )
    assert quality._joined(linked) == {"x": 1, "y": 1}
    assert quality._waiting(linked) == {"x": 1, "y": 2}


def test_points_follow_what_is_said_of_a_source() -> None:
    silent = list(indicators(Content(), []))
    assert sum(i.points * i.met for i in silent) == 0
    assert not [i for i in silent if i.dimension == "interoperability"]  # without files nothing is judged
    said = Content(
        about=[
            [
                "http://purl.org/dc/terms/license",
                "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
            ],
            ["http://purl.org/dc/terms/rights", "Say who it was"],
            ["https://w3id.org/dhu/ns#publisherName", "Somebody"],
        ],
        keywords=1,
        themes=["t"],
        countries=["c"],
        dated=True,
    )
    by_dimension: dict[str, list[int]] = {}
    for one in indicators(said, ["xlsx"]):
        reached = by_dimension.setdefault(one.dimension, [0, 0])
        reached[0] += one.points * one.met
        reached[1] += one.points
    assert by_dimension == {
        "findability": [100, 100],
        "interoperability": [40, 60],
        "reusability": [40, 55],
        "contextuality": [5, 15],
    }


# ------------------------------------------------------------------------------------------------ in the release


def test_the_figures_of_the_starter_radar_are_those_that_sparql_counts(radar: Engine) -> None:
    """The pass over sorted lines against queries of the built store."""
    kinds = "dhu:GoodPractice dhu:DigitalSolution dhu:DigitalService dhu:Programme dhu:Policy dhu:FundingInstrument dhu:ScalingUpTool dhu:Training dhu:Report"
    resource = f"GRAPH <https://w3id.org/dhu/graph/starter> {{ ?s a ?kind }} VALUES ?kind {{ {kinds} }}"

    def counted(more: str, what: str = "?s") -> int:
        text = f"SELECT (COUNT(DISTINCT {what}) AS ?n) {{ {resource} GRAPH <https://w3id.org/dhu/graph/starter> {{ {more} }} }}"
        return int(radar.query(text)[0]["n"])  # type: ignore[index,call-overload]

    figures = of(radar, "starter")
    # Linking moves resources in the release; the report is of the source as it tells it, so a few may be fewer.
    total = int(figures["resources", ""])
    graph = _store(radar, "starter")
    typed = _subjects_of(graph, kinds.split())
    assert total == len(typed) >= counted("") > 300
    for metric, predicate in (("with-theme", "http://www.w3.org/ns/dcat#theme"), ("with-lead", NS + "lead")):
        having = [s for s in typed if any(graph.quads_for_pattern(s, ox.NamedNode(predicate), None, None))]
        assert figures[metric, ""] == quality.measurement.share(len(having), total)
    assert int(figures["countries", ""]) >= 27 and figures["eu-countries-without", ""] == "0"


def test_the_graph_is_dqv_with_metrics_and_types_of_the_vocabulary(
    radar: Engine, radar_graph: ox.Store
) -> None:
    graph = ox.NamedNode("https://w3id.org/dhu/graph/quality")
    typed = {str(q.predicate.value) for q in radar_graph.quads_for_pattern(None, None, None, graph)}
    assert {DQV + "computedOn", DQV + "isMeasurementOf", DQV + "value"} <= typed
    nodes = {q.subject for q in radar_graph.quads_for_pattern(None, None, None, graph)}
    assert len(nodes) > 60
    for node in nodes:
        (metric,) = _objects(radar_graph, node, "isMeasurementOf")
        (value,) = _objects(radar_graph, node, "value")
        (source,) = _objects(radar_graph, node, "computedOn")
        (kind,) = _objects(radar_graph, metric, "expectedDataType")
        assert value.datatype == kind and source.value.startswith("https://w3id.org/dhu/id/source/")
        assert _objects(radar_graph, metric, "inDimension")


def test_every_metric_of_the_vocabulary_is_measured(radar: Engine) -> None:
    known = {
        iri.rsplit("/", 1)[-1]
        for iri in radar.ontology.schemes["https://w3id.org/dhu/vocab/quality"]
        if any(
            radar.ontology.store.quads_for_pattern(
                ox.NamedNode(iri), ox.NamedNode(DQV + "inDimension"), None, None
            )
        )
    }
    assert known - {f.metric for f in radar.quality()} == {"links-checked", "links-broken"}


def test_the_same_inputs_give_the_same_quads_whatever_is_kept(
    small: Any, tmp_path: Path, ontology: Ontology
) -> None:
    engine, source = small
    built = ingested(engine, source, tmp_path, *RECORDS)
    folder = engine.settings.data / "sources"

    def lines() -> list[str]:
        return quality.quads(quality.measure(built.reports, Linked(), folder, ontology), ontology)

    first = lines()
    assert first == lines() == sorted(set(first)) and len(first) > 100
    (folder / "small" / "quality.json").write_text("{ damaged", encoding="utf-8")
    assert lines() == first
    held = {line.decode() for line in quads.read(engine.shelf.get().graph) if b"/graph/quality>" in line}
    assert {line for line in first} == held


def test_other_counts_make_a_release_and_the_same_make_none(small: Any, tmp_path: Path) -> None:
    """The graph is the same; only what is in quarantine is more."""
    engine, source = small
    assert ingested(engine, source, tmp_path, practice(1)).release
    assert ingested(engine, source, tmp_path, practice(1), practice(2, title="x")).release
    assert of(engine)["records-quarantined", ""] == "1"
    assert ingested(engine, source, tmp_path, practice(2, title="x"), practice(1)).release is None


def test_a_report_from_before_has_no_conformity_and_no_faults(tmp_path: Path, ontology: Ontology) -> None:
    graph = tmp_path / "old" / "graph.nq.gz"
    quads.write(graph, [])
    figures = quality.measure([Report("old", "x")], Linked(), tmp_path, ontology)
    metrics = {f.metric for f in figures}
    assert "resources" in metrics and not metrics & {
        "records-read",
        "with-theme",
        "as-of-median",
        "interoperability-points",
    }


def test_blocks_of_any_size_count_the_same(radar: Engine, ontology: Ontology) -> None:
    graph = radar.settings.data / "sources" / "starter" / "graph.nq.gz"
    whole, small = (count(quads.blocks(graph, size), "starter", ontology) for size in (50_000_000, 3_000))
    assert whole == small and whole.records == 428


# ------------------------------------------------------------------------------------------------ where it is shown


def test_an_unknown_source_is_named(radar: Engine) -> None:
    with pytest.raises(UnknownName, match="no source 'nobody'"):
        radar.quality("nobody")


@pytest.mark.parametrize("arguments", [["quality"], ["quality", "starter"], ["quality", "report", "starter"]])
def test_the_command_prints_a_report(radar: Engine, arguments: list[str]) -> None:
    result = CliRunner().invoke(
        app, ["--data", str(radar.settings.data), *arguments], env={"DHU_EMBED": "no"}
    )
    assert result.exit_code == 0 and "starter" in result.stdout


def test_the_command_prints_every_form(radar: Engine) -> None:
    def printed(form: str) -> str:
        arguments = ["--data", str(radar.settings.data), "quality", "starter", "--format", form]
        return CliRunner().invoke(app, arguments, env={"DHU_EMBED": "no"}).stdout

    rows = json.loads(printed("json"))
    assert {"with-theme", "as-of-median"} <= {row["metric"] for row in rows}
    assert len(printed("csv").splitlines()) == len(rows) + 1
    store = ox.Store()
    store.load(printed("ttl").encode(), ox.RdfFormat.TURTLE)
    assert len(list(store.quads_for_pattern(None, ox.NamedNode(DQV + "value"), None, None))) == len(rows)


def test_the_api_and_the_page_of_a_source_show_it(radar: Engine) -> None:
    with Engine.open(data=radar.settings.data, embed=False) as engine:
        with TestClient(create_app(engine)) as client:
            answer = client.get("/api/quality", params={"source": "starter"}).json()
            assert answer["release"] == engine.shelf.current()
            values = {f["metric"]: f for f in answer["figures"] if not f["about"]}
            assert values["resources"]["value"] == of(radar, "starter")["resources", ""]
            assert {f["source"] for f in client.get("/api/quality").json()["figures"]} == {
                "starter",
                "indicators",
            }
            assert client.get("/api/quality", params={"source": "nobody"}).status_code == 404
            assert client.get("/api/quality", params={"sauce": "x"}).status_code == 400
            page = client.get("/id/source/starter.html").text
            assert "<h2>Quality</h2>" in page and "Completeness: lead organisation" in page
            assert "computed on" not in page
            assert "<h2>Quality</h2>" not in client.get("/id/policy/starter-de-diga.html").text


def test_rows_stand_in_reading_order(radar: Engine) -> None:
    dimensions = [row["dimension"] for row in table.rows(radar.quality("starter"), radar.ontology)]
    assert dimensions[0] == "completeness" and dimensions == sorted(dimensions, key=table._DIMENSIONS.index)


BASE = "https://w3id.org/dhu/"
NS = BASE + "ns#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def _practice(number: int, statement: str) -> str:
    node = f"<{BASE}id/practice/p-{number}>"
    return f"{node} <{RDF}type> <{NS}GoodPractice> <{BASE}graph/s> .\n{node} {statement}"


def _counted(ontology: Ontology, *statements: str) -> Content:
    lines = sorted(
        line if line.endswith(" .") else f"{line} <{BASE}graph/s> ."
        for s in statements
        for line in s.split("\n")
    )
    return count([("\n".join(lines) + "\n").encode()], "s", ontology)


def _store(engine: Engine, source: str) -> ox.Store:
    store = ox.Store()
    store.bulk_load(
        b"".join(quads.read(engine.settings.data / "sources" / source / "graph.nq.gz")), ox.RdfFormat.N_QUADS
    )
    return store


def _subjects_of(store: ox.Store, kinds: list[str]) -> set[Any]:
    return {
        quad.subject
        for kind in kinds
        for quad in store.quads_for_pattern(
            None, ox.NamedNode(RDF + "type"), ox.NamedNode(kind.replace("dhu:", NS)), None
        )
    }


def _objects(store: ox.Store, node: Any, name: str) -> list[Any]:
    return [q.object for q in store.quads_for_pattern(node, ox.NamedNode(DQV + name), None, None)]
