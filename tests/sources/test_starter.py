"""The starter catalogue against the graph, record by record and field by field, without the map's help."""

import json
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, assets
from dhu_graph.ontology import OP_COUNTRY, Ontology

NS = "https://w3id.org/dhu/ns#"
DCT = "http://purl.org/dc/terms/"
DCAT = "http://www.w3.org/ns/dcat#"
FOAF = "http://xmlns.com/foaf/0.1/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
PROV = "http://www.w3.org/ns/prov#"

TEXTS = {
    "title": DCT + "title",
    "title_native": DCT + "alternative",
    "description": DCT + "description",
    "region": NS + "regionName",
    "status": NS + "statusText",
    "notes": SKOS + "editorialNote",
    "licence": NS + "licenceText",
    "identifier": DCT + "identifier",
    "start_year": NS + "startYear",
    "end_year": NS + "endYear",
    "as_of": NS + "asOf",
    "technologies": NS + "technologyText",
    "legal": NS + "legalBasis",
    "standards": NS + "standard",
}
CONCEPTS = {
    "themes": (DCAT + "theme", "theme"),
    "target_groups": (NS + "targetGroup", "target-group"),
    "care_setting": (NS + "careSetting", "care-setting"),
    "audiences": (NS + "audience", "audience"),
    "scope": (NS + "scope", "scope"),
    "maturity": (NS + "maturity", "maturity"),
}
SUPPORTS = {
    "kind": "http://www.w3.org/1999/02/22-rdf-syntax-ns#type",
    "title": DCT + "title",
    "title_native": DCT + "alternative",
    "lang_native": DCT + "alternative",
    "description": DCT + "description",
    "countries": DCT + "spatial",
    "region": DCT + "spatial",
    "scope": NS + "scope",
    "lead": NS + "lead",
    "partners": NS + "partner",
    "start_year": NS + "startYear",
    "end_year": NS + "endYear",
    "status": NS + "statusText",
    "as_of": NS + "asOf",
    "themes": DCAT + "theme",
    "technologies": NS + "technology",
    "target_groups": NS + "targetGroup",
    "care_setting": NS + "careSetting",
    "audiences": NS + "audience",
    "needs": NS + "need",
    "barriers": NS + "barrier",
    "evidence": NS + "evidence",
    "uptake": NS + "uptake",
    "funding": NS + "funding",
    "legal": NS + "legalBasis",
    "standards": NS + "standard",
    "licence": NS + "licenceText",
    "identifier": DCT + "identifier",
    "url": DCAT + "landingPage",
    "contact": NS + "contactPage",
}


def records() -> Iterator[dict[str, Any]]:
    for path in sorted((assets.folder("ingest") / "starter" / "catalogue").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


RECORDS = {record["id"]: record for record in records()}


DERIVED = ox.NamedNode("https://w3id.org/dhu/graph/derived")


class Node:
    """A node of the graph: `node["dhu property"]` are its values as texts, `node.to(…)` the nodes it points to."""

    def __init__(self, store: ox.Store, iri: str) -> None:
        self.store, self.iri = store, iri

    def __getitem__(self, predicate: str) -> set[str]:
        found = self.store.quads_for_pattern(ox.NamedNode(self.iri), ox.NamedNode(predicate), None, None)
        return {q.object.value for q in found if q.graph_name != DERIVED}

    def to(self, predicate: str) -> list["Node"]:
        return [Node(self.store, iri) for iri in sorted(self[predicate])]

    def one(self, predicate: str) -> str | None:
        found = self[predicate]
        assert len(found) <= 1, (self.iri, predicate, found)
        return next(iter(found), None)


def resource(store: ox.Store, record: dict[str, Any]) -> Node:
    return Node(store, f"https://w3id.org/dhu/id/{record['kind']}/starter-{record['id']}")


def plain(value: Any) -> str:
    """A text as the graph holds it: single blanks."""
    return " ".join(str(value).replace("\u00a0", " ").split())


def number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def test_all_428_records_land_without_a_finding(radar: Engine) -> None:
    report = {source.name: report for source, report in radar.sources()}["starter"]
    assert report is not None and len(RECORDS) == 428
    assert (report.read, report.landed, report.quarantined, report.out_of_scope) == (428, 428, 0, 0)
    assert report.unmapped == {}
    # The only notes are of records that name no lead.
    assert report.warnings == sum("lead" not in r for r in RECORDS.values())


def test_every_eu_country_is_covered(radar_graph: ox.Store, ontology: Ontology) -> None:
    members = {
        q.subject.value
        for q in ontology.store.quads_for_pattern(None, ox.NamedNode(NS + "memberOf"), None, None)
    }
    covered = {
        place for record in RECORDS.values() for place in resource(radar_graph, record)[DCT + "spatial"]
    }
    assert len(members) == 27 and members <= covered


def test_every_plain_field_of_every_record_is_in_the_graph(radar_graph: ox.Store, ontology: Ontology) -> None:
    for record in RECORDS.values():
        node = resource(radar_graph, record)
        for field, predicate in TEXTS.items():
            values = record.get(field, [])
            wanted = {plain(v) for v in (values if isinstance(values, list) else [values])}
            got = node[predicate]
            assert got == wanted, (record["id"], field)
        for field, (predicate, scheme) in CONCEPTS.items():
            values = record.get(field, [])
            wanted = {
                str(ontology.concept(scheme, v)) for v in (values if isinstance(values, list) else [values])
            }
            assert node[predicate] == wanted, (record["id"], field)
        places = {str(ontology.concept(OP_COUNTRY, c)) for c in record.get("countries", [])}
        if "nuts" in record:
            places.add("http://data.europa.eu/nuts/code/" + record["nuts"])
        assert node[DCT + "spatial"] == places, record["id"]
        assert len(node[DCAT + "landingPage"]) == ("url" in record), record["id"]
        assert len(node[NS + "contactPage"]) == ("contact" in record), record["id"]
        assert node[NS + "pagesRead"] == {record["read"][:10]}, record["id"]
        (derived,) = node.to(PROV + "wasDerivedFrom")
        assert derived[DCT + "identifier"] == {record["id"]}


def test_lead_partners_and_funding_of_every_record_are_in_the_graph(radar_graph: ox.Store) -> None:
    for record in RECORDS.values():
        node = resource(radar_graph, record)
        leads = [(n.one(DCT + "title"), bool(n[FOAF + "homepage"])) for n in node.to(NS + "lead")]
        if "lead" in record:
            ((name, has_page),) = leads
            assert name == plain(record["lead"]["name"]), record["id"]
            assert has_page or "url" not in record["lead"], record["id"]
        else:
            assert leads == []
        names = {n.one(FOAF + "name") for n in node.to(NS + "partner")}
        assert names == {plain(p) for p in record.get("partners", [])}, record["id"]
        money = [
            (n.one(NS + "funderName"), n.one(NS + "amount"), n.one(NS + "currency"))
            for n in node.to(NS + "funding")
        ]
        if "funding" in record:
            given = record["funding"]
            ((funder, amount, currency),) = money
            assert funder == plain(given["source"]), record["id"]
            assert amount == (number(given["amount"]) if "amount" in given else None), record["id"]
            assert (currency or "").rsplit("/", 1)[-1] == given.get("currency", ""), record["id"]
        else:
            assert money == []


@pytest.mark.parametrize(
    ("field", "predicate", "scheme"),
    [("needs", "need", "need-kind"), ("barriers", "barrier", "barrier-kind")],
)
def test_needs_and_barriers_of_every_record_are_in_the_graph(
    field: str, predicate: str, scheme: str, radar_graph: ox.Store, ontology: Ontology
) -> None:
    for record in RECORDS.values():
        got = {
            (n.one(DCT + "title"), n.one(NS + "side"), n.one(DCT + "type"))
            for n in resource(radar_graph, record).to(NS + predicate)
        }
        wanted = {
            (
                plain(x["text"]),
                ontology.concept("side", x["side"]),
                ontology.concept(scheme, x["kind"]) if "kind" in x else None,
            )
            for x in record.get(field, [])
        }
        assert got == wanted, record["id"]


def test_evidence_and_uptake_of_every_record_are_in_the_graph(radar_graph: ox.Store) -> None:
    for record in RECORDS.values():
        node = resource(radar_graph, record)
        evidence = {
            (n.one(DCT + "description"), n.one(NS + "figure"), n.one(NS + "year"))
            for n in node.to(NS + "evidence")
        }
        assert evidence == {
            (plain(x["statement"]), x.get("figure"), str(x["year"]) if "year" in x else None)
            for x in record.get("evidence", [])
        }, record["id"]
        uptake = sorted(
            (
                n.one(NS + "metric"),
                n.one(NS + "value"),
                n.one(NS + "unit"),
                n.one(NS + "year") or "",
                n.one(NS + "place"),
                n.one(NS + "planned"),
            )
            for n in node.to(NS + "uptake")
        )
        assert uptake == sorted(
            (
                plain(x["metric"]),
                number(x["value"]),
                plain(x["unit"]),
                str(x.get("year", "")),
                x.get("place", ""),
                str(x.get("planned", False)).lower(),
            )
            for x in record.get("uptake", [])
        ), record["id"]


def test_every_cited_page_of_every_record_is_in_the_graph_field_by_field(radar_graph: ox.Store) -> None:
    pages = 0
    for record in RECORDS.values():
        citations = {n.one(DCT + "source"): n for n in resource(radar_graph, record).to(NS + "citation")}
        assert len(citations) == len({s["url"] for s in record["sources"]}), record["id"]
        for page in record["sources"]:
            pages += 1
            # Addresses are made safe; what is safe already stays as it is.
            node = citations[page["url"].replace(" ", "%20").replace("\\", "%5C")]
            assert plain(page["title"]) in node[DCT + "title"], (record["id"], page["url"])
            assert plain(page["publisher"]) in node[NS + "publisherName"], (record["id"], page["url"])
            assert ("date" in page) == bool(node[DCT + "issued"]), (record["id"], page["url"])
            if "date" in page:
                assert page["date"] in node[DCT + "issued"], (record["id"], page["url"])
            assert {SUPPORTS[field] for field in page["supports"]} <= node[NS + "supports"], (
                record["id"],
                page["url"],
            )
    assert pages == 1338


def test_a_cited_page_carries_nothing_that_its_record_does_not_claim(radar_graph: ox.Store) -> None:
    for record in RECORDS.values():
        claimed = {SUPPORTS[f] for page in record["sources"] for f in page["supports"]}
        held = {p for n in resource(radar_graph, record).to(NS + "citation") for p in n[NS + "supports"]}
        assert held == claimed, record["id"]


def test_everything_a_resource_points_to_has_provenance_of_its_own(radar_graph: ox.Store) -> None:
    for record in RECORDS.values():
        node = resource(radar_graph, record)
        for part in [
            *node.to(NS + "lead"),
            *node.to(NS + "need"),
            *node.to(NS + "barrier"),
            *node.to(NS + "uptake"),
        ]:
            assert part[PROV + "wasDerivedFrom"] >= node[PROV + "wasDerivedFrom"], part.iri
