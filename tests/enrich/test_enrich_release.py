"""`graph/derived` in a release: evidence with each statement, nothing twice, nothing done again without a change."""

import re
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, enrich, quads
from dhu_graph.enrich import Enricher
from dhu_graph.enrich.derived import ASSERTED, RDF
from dhu_graph.enrich.facts import SPATIAL
from dhu_graph.ontology import Ontology
from small_sources import practice, write_lines

NS = "https://w3id.org/dhu/ns#"
DERIVED = ox.NamedNode("https://w3id.org/dhu/graph/derived")


def statements(store: ox.Store) -> tuple[dict[tuple[str, str, str], list[ox.NamedNode]], set[str]]:
    """(statement → its derivations) and the nodes of derivations, of `graph/derived`."""
    nodes: dict[str, dict[str, str]] = {}
    for quad in store.quads_for_pattern(None, None, None, DERIVED):
        if "/id/derivation/" in quad.subject.value:
            nodes.setdefault(quad.subject.value, {})[quad.predicate.value] = str(quad.object)
    found: dict[tuple[str, str, str], list[ox.NamedNode]] = {}
    for node, told in nodes.items():
        key = (told[RDF + "subject"], told[RDF + "predicate"], told[RDF + "object"])
        found.setdefault(key, []).append(ox.NamedNode(node))
    return found, set(nodes)


def test_each_derived_statement_has_its_evidence_and_each_evidence_its_statement(
    radar_graph: ox.Store, ontology: Ontology
) -> None:
    derived, nodes = statements(radar_graph)
    plain = {
        (str(q.subject), str(q.predicate), str(q.object))
        for q in radar_graph.quads_for_pattern(None, None, None, DERIVED)
        if q.subject.value not in nodes
    }
    confidence = ox.NamedNode(NS + "confidence")
    sure = {
        key
        for key, grounds in derived.items()
        for node in grounds
        for q in radar_graph.quads_for_pattern(node, confidence, None, DERIVED)
        if float(q.object.value) >= ASSERTED
    }
    assert plain == sure and len(plain) > 500
    assert set(derived) - sure, "less sure ones are kept as hints"
    methods = ontology.schemes["https://w3id.org/dhu/vocab/derivation-method"]
    for node in nodes:
        told = {
            q.predicate.value: q.object
            for q in radar_graph.quads_for_pattern(ox.NamedNode(node), None, None, DERIVED)
        }
        assert told[NS + "method"].value in methods
        assert 0 < float(told[NS + "confidence"].value) < 1
        assert 0 < len(told[NS + "evidenceText"].value) <= 120
        assert re.fullmatch(r"https://w3id.org/dhu/id/derivation/[0-9a-f]{16}", node)


def test_nothing_derived_is_stated_by_a_source(radar_graph: ox.Store) -> None:
    for quad in radar_graph.quads_for_pattern(None, None, None, DERIVED):
        same = radar_graph.quads_for_pattern(quad.subject, quad.predicate, quad.object, None)
        assert {q.graph_name for q in same} == {DERIVED}
        if quad.predicate.value == NS + "startYear":
            assert len(list(radar_graph.quads_for_pattern(quad.subject, quad.predicate, None, None))) == 1


def test_an_unchanged_source_costs_nothing_and_a_change_is_seen(
    radar: Engine, tmp_path: Path, ontology: Ontology, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = tmp_path / "sources" / "starter" / "graph.nq.gz"
    quads.write(graph, quads.read(radar.settings.data / "sources" / "starter" / "graph.nq.gz"))
    first = Enricher(tmp_path, ontology).run({"starter": "a"})["starter"].read_bytes()
    monkeypatch.setattr(Enricher, "derive", lambda *_: pytest.fail("derived again"))
    assert Enricher(tmp_path, ontology).run({"starter": "a"})["starter"].read_bytes() == first
    with pytest.raises(pytest.fail.Exception, match="derived again"):
        Enricher(tmp_path, ontology).run({"starter": "b"})
    monkeypatch.undo()
    assert Enricher(tmp_path, ontology).run({"starter": "b"})["starter"].read_bytes() == first


def test_what_another_source_states_of_the_same_thing_is_not_derived(
    tmp_path: Path, ontology: Ontology
) -> None:
    one, two = ("https://w3id.org/dhu/id/practice/" + name for name in ("a", "b"))
    year = ox.Literal("2020", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#gYear"))
    found = [
        enrich.Derivation(one, NS + "startYear", year, "year-begun-in-text", 0.9, "launched in 2020"),
        enrich.Derivation(one, NS + "standard", ox.Literal("DICOM"), "standard-in-text", 0.8, "DICOM"),
        enrich.Derivation(
            one, SPATIAL, ox.NamedNode("http://data.europa.eu/nuts/code/AT33"), "region-name", 0.9, "Tirol"
        ),
    ]
    derived, graph = tmp_path / "d.nq.gz", tmp_path / "g.nq.gz"
    quads.write(derived, sorted(line for d in found for line in d.lines(ontology, "s")))
    graph_name = "<https://w3id.org/dhu/graph/t>"
    austria = "<http://publications.europa.eu/resource/authority/country/AUT>"
    told = [f'<{two}> <{NS}startYear> "2018"^^<http://www.w3.org/2001/XMLSchema#gYear> {graph_name} .\n']
    told.append(f"<{two}> <{SPATIAL}> {austria} {graph_name} .\n")
    quads.write(graph, sorted(line.encode() for line in told))
    dropped = enrich.in_the_way([derived], [graph], {two: one}, ontology)[derived]
    kept = b"".join(enrich.lines(derived, dropped)).decode()
    assert "startYear" not in kept and "launched" not in kept
    assert kept.count("DICOM") == 3 and kept.count("AT33") == 2
    assert enrich.in_the_way([derived], [graph], {}, ontology)[derived] == frozenset()


def test_a_page_and_the_api_say_what_is_derived_and_why(make_source, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = write_lines(
        tmp_path / "records.jsonl",
        practice(1, country="AT", title="Telemonitoring in Tirol, launched in 2020"),
    )
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        engine.ingest("small", str(path), folder=make_source().folder)
        (hit,) = engine.search("telemonitoring")
        shown = engine.show(hit.document.iri)
        values = {(s.label, v.text): v for s in shown.statements for v in s.values if v.derived}
        assert set(values) == {("theme", "Telemonitoring"), ("place", "Tirol"), ("start year", "2020")}
        year = values["start year", "2020"]
        assert year.sources == ("derived",)
        assert year.derived == ("Start year by words of beginning, confidence 0.95: “launched in 2020”",)
        assert not [s for s in shown.statements if s.inverse and "derivation" in s.values[0].iri]
        assert hit.document.filters["theme"] == ("telemonitoring",)

        from fastapi.testclient import TestClient

        from dhu_graph.web import create_app

        with TestClient(create_app(engine)) as client:
            address = hit.document.iri.removeprefix("https://w3id.org/dhu/")
            page = client.get("/" + address + ".html").text
            assert "launched in 2020" in page and "(derived: Start year" in page
            answer = client.get("/api/resources/" + address.removeprefix("id/")).json()
            grounds = [v["derived"] for s in answer["statements"] for v in s["values"] if v["derived"]]
            assert len(grounds) == 3
