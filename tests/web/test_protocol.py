"""/sparql as the SPARQL 1.1 Protocol says, with the real workers behind it."""

import csv
import io
import json
import re

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

FIVE = "SELECT ?s ?title { ?s a dhu:Policy ; dct:title ?title } ORDER BY ?s LIMIT 5"
GRAPH = "CONSTRUCT { ?s dct:title ?t } WHERE { ?s a dhu:Policy ; dct:title ?t }"
CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
SD = "http://www.w3.org/ns/sparql-service-description#"


@pytest.mark.parametrize(
    "media_type",
    [
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
    ],
)
def test_rows_come_in_the_format_of_the_accept_header(client: TestClient, media_type: str) -> None:
    answer = client.get("/sparql", params={"query": FIVE}, headers={"Accept": media_type})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert len(answer.content) == int(answer.headers["content-length"])
    assert answer.text.count("/id/policy/") == 5


@pytest.mark.parametrize(
    ("media_type", "format"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
    ],
)
def test_graphs_come_in_the_format_of_the_accept_header(
    client: TestClient, media_type: str, format: ox.RdfFormat
) -> None:
    answer = client.get("/sparql", params={"query": GRAPH}, headers={"Accept": media_type})
    assert answer.headers["content-type"].split(";")[0] == media_type
    expected = {
        str(t) for t in ox.parse(client.get("/sparql", params={"query": GRAPH}).text, ox.RdfFormat.TURTLE)
    }
    assert {str(t) for t in ox.parse(answer.content, format)} == expected and expected


def test_the_three_ways_of_asking_give_the_same(client: TestClient) -> None:
    got = client.get("/sparql", params={"query": FIVE, "format": "json"})
    form = client.post("/sparql", data={"query": FIVE, "format": "json"})
    direct = client.post(
        "/sparql?format=json",
        content=FIVE,
        headers={"Content-Type": "application/sparql-query; charset=utf-8"},
    )
    assert got.json() == form.json() == direct.json()
    assert len(got.json()["results"]["bindings"]) == 5


def test_the_datasets_of_the_protocol_are_obeyed(client: TestClient) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    named = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    base = "https://w3id.org/dhu/graph/"

    def number(**values: str | list[str]) -> int:
        return int(client.get("/sparql", params=values).json()["results"]["bindings"][0]["n"]["value"])

    union, one = number(query=count), number(query=count, **{"default-graph-uri": base + "ontology"})
    two = number(query=count, **{"default-graph-uri": [base + "ontology", base + "vocab"]})
    assert 0 < one < two < union
    assert number(query=named, **{"named-graph-uri": base + "vocab"}) == two - one


def test_a_format_by_name_wins_over_the_header(client: TestClient) -> None:
    answer = client.get(
        "/sparql", params={"query": FIVE, "format": "csv"}, headers={"Accept": "application/json"}
    )
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 6


def test_an_answer_of_several_blocks_comes_whole(client: TestClient) -> None:
    query = "SELECT * { ?s ?p ?o } LIMIT 15000"
    answer = client.post("/sparql", data={"query": query, "format": "csv"})
    assert len(answer.content) > 1 << 20
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 15001


def test_nothing_fits_is_406(client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": FIVE}, headers={"Accept": "text/turtle"})
    assert answer.status_code == 406 and "SELECT" in answer.json()["detail"]
    assert client.get("/sparql", params={"query": GRAPH, "format": "csv"}).status_code == 406


@pytest.mark.parametrize("query", ["SELECT", "SELECT * { ?s ?p }", "", "SELECT * { ?s ?p ?o } extra"])
def test_what_is_no_query_is_400_with_words(client: TestClient, query: str) -> None:
    answer = client.get("/sparql", params={"query": query})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_an_update_is_refused_and_told_why(client: TestClient) -> None:
    insert = "INSERT DATA { <http://a> <http://b> <http://c> }"
    sent = [
        client.post("/sparql", data={"update": insert}),
        client.get("/sparql", params={"update": insert}),
        client.post("/sparql", content=insert, headers={"Content-Type": "application/sparql-update"}),
        client.post("/sparql", data={"query": insert}),
    ]
    for answer in sent:
        assert 400 <= answer.status_code < 500
        assert "read" in answer.text.lower(), answer.text
    assert client.get("/sparql", params={"query": "ASK { <http://a> ?p ?o }"}).json()["boolean"] is False


def test_service_goes_nowhere(client: TestClient) -> None:
    query = "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }"
    assert client.get("/sparql", params={"query": query}).status_code == 400


def test_a_slow_query_is_a_real_503_that_says_when_to_come_back(hasty: TestClient) -> None:
    answer = hasty.get("/sparql", params={"query": CROSS})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/docs#query-timeout"


def test_too_large_an_answer_is_503(client: TestClient) -> None:
    answer = client.get("/sparql", params={"query": "SELECT * { ?s ?p ?o }"})
    assert answer.status_code == 503 and "LIMIT" in answer.json()["hint"]


def test_queries_that_cannot_wait_are_sent_away_at_once(client: TestClient) -> None:
    gate = client.app.state.gate  # type: ignore[attr-defined]
    taken = 0
    while gate._places.acquire(blocking=False):
        taken += 1
    try:
        answer = client.get("/sparql", params={"query": FIVE})
        assert answer.status_code == 503 and answer.headers["retry-after"]
        assert client.get("/", params={"q": "telemonitoring"}).status_code == 200
    finally:
        for _ in range(taken):
            gate._places.release()
    assert client.get("/sparql", params={"query": FIVE}).status_code == 200


def test_two_queries_none_and_odd_types_are_refused(client: TestClient) -> None:
    assert client.get("/sparql?query=ASK{}&query=ASK{}").status_code == 400
    assert client.post("/sparql", data={"format": "csv"}).status_code == 400
    assert client.post("/sparql", json={"query": FIVE}).status_code == 415
    odd = client.post("/sparql", content=b"\xff\xfe", headers={"Content-Type": "application/sparql-query"})
    assert odd.status_code == 400 and "UTF-8" in odd.json()["detail"]
    assert client.get("/sparql?query=%FF").status_code == 400


def test_without_a_query_programs_get_the_service_description(client: TestClient) -> None:
    answer = client.get("/sparql")
    triples = list(ox.parse(answer.content, ox.RdfFormat.TURTLE))
    told = {(t.predicate.value, getattr(t.object, "value", "")) for t in triples}
    assert (SD + "endpoint", "http://testserver/sparql") in told
    assert (SD + "feature", SD + "UnionDefaultGraph") in told
    assert (SD + "resultFormat", "http://www.w3.org/ns/formats/SPARQL_Results_CSV") in told
    query = "SELECT ?g { GRAPH ?g {} }"
    rows = client.get("/sparql", params={"query": query}).json()["results"]["bindings"]
    assert {o for p, o in told if p == SD + "name"} == {row["g"]["value"] for row in rows}
    assert len(rows) >= 3


def test_without_a_query_people_get_a_form_that_works(client: TestClient) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = client.get("/sparql", headers=html)
    assert page.headers["content-type"].startswith("text/html")
    assert '<form action="/sparql" method="post"' in page.text and '<label for="query">' in page.text
    formats = re.findall(r'<option value="([^"]+)"', page.text)
    assert formats == ["json", "csv", "tsv", "xml", "turtle", "json-ld", "n-triples", "rdf/xml"]
    for format in formats:
        query = FIVE if format in formats[:4] else GRAPH
        sent = client.post("/sparql", data={"query": query, "format": format}, headers=html)
        assert sent.status_code == 200, sent.text
        assert not sent.headers["content-type"].startswith("text/html")
    assert client.post("/sparql", data={"query": FIVE, "format": ""}, headers=html).json()["results"]


def test_every_example_of_the_page_can_be_loaded_and_run(client: TestClient) -> None:
    html = {"Accept": "text/html"}
    page = client.get("/sparql", headers=html).text
    examples = re.findall(r'href="(/sparql\?example=[^"]+)"', page)
    runs = [address.replace("&amp;", "&") for address in re.findall(r'href="(/api/queries/[^"]+)"', page)]
    assert len(examples) >= 5 and len(runs) == 2 * len(examples)
    for address in examples:
        assert "SELECT" in client.get(address, headers=html).text
    for address in runs:
        assert client.get(address, headers=html).status_code == 200, address


def test_the_library_is_listed_and_runs_with_its_examples(client: TestClient) -> None:
    for query in client.get("/api/queries").json():
        values = {p["name"]: p["example"] for p in query["parameters"]}
        answer = client.get(query["url"], params={**values, "format": "json"})
        assert answer.status_code == 200 and "results" in answer.json()
        table = client.get(query["url"], params=values, headers={"Accept": "text/csv"})
        assert table.headers["content-type"].startswith("text/csv")


def test_the_library_refuses_what_it_does_not_know(client: TestClient) -> None:
    assert client.get("/api/queries/nothing").status_code == 404
    address = "/api/queries/practices-by-country-and-theme"
    assert "needs" in client.get(address).json()["detail"]
    assert client.get(address, params={"country": "Narnia", "theme": "telemonitoring"}).status_code == 400
    twice = client.get(address + "?country=GRC&country=FRA&theme=telemonitoring")
    assert twice.status_code == 400 and "twice" in twice.json()["detail"]
    assert "no parameter" in client.get("/api/queries/coverage-by-country?x=1").json()["detail"]
    attack = {"country": "GRC> . ?a ?b ?c . <", "theme": "telemonitoring"}
    assert client.get(address, params=attack).status_code == 400


def test_other_pages_may_ask_from_a_browser(client: TestClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    preflight = client.options("/sparql", headers={**asked, "Access-Control-Request-Headers": "content-type"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]
    for answer in (
        client.get("/sparql", params={"query": FIVE}, headers={"Origin": "https://example.org"}),
        client.get("/sparql", params={"query": "x"}, headers={"Origin": "https://example.org"}),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"


def test_head_is_get_without_its_body(client: TestClient) -> None:
    got = client.get("/sparql", params={"query": FIVE})
    head = client.head("/sparql", params={"query": FIVE})
    assert head.status_code == 200 and head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]
    assert json.loads(got.text)
