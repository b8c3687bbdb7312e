"""/api and /health: what they give, and that filters, totals and facets agree."""

import json

import pytest
from starlette.testclient import TestClient

from dhu_graph import Engine, __version__

DIGA = "https://w3id.org/dhu/id/policy/starter-de-diga"
COLUMNS = "kind country region theme technology maturity target audience year language source".split()


def test_a_search_gives_what_the_engine_finds(client: TestClient, engine: Engine) -> None:
    found = client.get("/api/search", params={"q": "telemonitoring heart failure", "limit": 5}).json()
    hits = engine.search("telemonitoring heart failure", limit=5)
    assert [hit["iri"] for hit in found["hits"]] == [hit.document.iri for hit in hits]
    first = found["hits"][0]
    assert first["url"] == first["iri"].replace("https://w3id.org/dhu", "http://testserver")
    assert first["title"] and first["passage"] and first["score"] > 0 and "coverage" in first["parts"]
    assert first["sources"] == [
        {
            "name": "starter",
            "title": "DHU starter catalogue",
            "licence": "http://creativecommons.org/licenses/by/4.0/",
        }
    ]
    assert all(hit["as_of"] == "" or len(hit["as_of"]) == 4 for hit in found["hits"])
    assert any(hit["as_of"] for hit in found["hits"])
    assert found["release"] == 1 and found["total"] == client.get("/health").json()["documents"]


def test_paging_neither_repeats_nor_skips(client: TestClient) -> None:
    def iris(**values: int) -> list[str]:
        answer = client.get("/api/search", params={"q": "hospital", **values}).json()
        return [hit["iri"] for hit in answer["hits"]]

    assert iris(limit=3) + iris(limit=3, offset=3) + iris(limit=4, offset=6) == iris(limit=10)


def test_every_facet_is_the_total_of_its_filter(client: TestClient) -> None:
    asked = {"q": "health", "country": "DEU", "limit": 1}
    facets = client.get("/api/search", params=asked).json()["facets"]
    assert set(facets) == set(COLUMNS)
    for column in COLUMNS:
        for facet in facets[column][:3]:
            if column == "country":
                continue
            narrowed = client.get("/api/search", params={**asked, column: facet["value"]}).json()
            assert narrowed["total"] == facet["count"], (column, facet)
            for hit in narrowed["hits"]:
                assert facet["value"] in [value["value"] for value in hit["filters"][column]]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("country", ["GRC", "grc", "Greece", "Ελλάδα", " greece "]),
        ("theme", ["telemonitoring", "Telemonitoring", "remote patient monitoring"]),
        ("kind", ["practice", "good practice", "Good Practice"]),
        ("target", ["patients", "Patients"]),
        ("language", ["en", "EN", "English"]),
    ],
)
def test_codes_and_names_are_the_same(client: TestClient, column: str, names: list[str]) -> None:
    totals = {client.get("/api/search", params={"q": "x", column: name}).json()["total"] for name in names}
    assert len(totals) == 1 and totals.pop() > 0


def test_a_repeated_filter_passes_any_of_its_values(client: TestClient) -> None:
    def total(*countries: str) -> int:
        answer = client.get("/api/search", params={"q": "x", "country": list(countries)}).json()
        return int(answer["total"])

    assert max(total("GRC"), total("CYP")) < total("GRC", "CYP") <= total("GRC") + total("CYP")
    assert total("GRC", "") == total("GRC") and total("") > total("GRC")


@pytest.mark.parametrize(
    "asked",
    [
        "q=x&country=Narnia",
        "q=x&theme=dragons",
        "q=x&kind=unicorn",
        "q=x&maturity=ripe",
        "q=x&year=soon",
        "q=x&language=%3F%3F",
        "q=x&source=nowhere",
        "q=x&contry=GRC",
        "q=x&limit=101",
        "q=x&limit=0",
        "q=x&limit=many",
        "q=x&offset=-1",
        "q=x&offset=99999999999999999999",
        "q=%00%01",
    ],
)
def test_what_cannot_be_answered_is_400_with_words(client: TestClient, asked: str) -> None:
    answer = client.get(f"/api/search?{asked}")
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == 400 and problem["title"] and len(problem["detail"]) > 5


def test_an_unknown_value_is_named(client: TestClient) -> None:
    assert "Narnia" in client.get("/api/search?q=x&country=Narnia").json()["detail"]
    assert "contry" in client.get("/api/search?q=x&contry=GRC").json()["detail"]
    assert "starter" in client.get("/api/search?q=x&source=nowhere").json()["hint"]


def test_similar_takes_an_iri_or_its_end(client: TestClient) -> None:
    long = client.get("/api/similar", params={"iri": DIGA, "limit": 4}).json()
    short = client.get("/api/similar", params={"iri": "policy/starter-de-diga", "limit": 4}).json()
    assert long == short and len(long["hits"]) == 4
    assert DIGA not in [hit["iri"] for hit in long["hits"]]
    french = client.get("/api/similar", params={"iri": DIGA, "country": "France"}).json()["hits"]
    assert french and all("FRA" in [v["value"] for v in hit["filters"]["country"]] for hit in french)
    assert client.get("/api/similar", params={"iri": "policy/none"}).status_code == 404
    assert client.get("/api/similar").status_code == 400


def test_a_resource_is_what_the_engine_shows(client: TestClient, engine: Engine) -> None:
    found = client.get("/api/resources/policy/starter-de-diga").json()
    shown = engine.show(DIGA)
    assert (found["iri"], found["kind"], found["title"]) == (shown.iri, shown.kind, shown.title)
    assert [s["property"] for s in found["statements"]] == [s.property for s in shown.statements]
    flat = json.dumps(found)
    assert '"parts": [{' in flat and '"inverse": true' in flat
    assert "http://testserver/vocab/" in flat and '"sources": ["starter"]' in flat


@pytest.mark.parametrize(
    "path", ["policy/none", "nothing/at-all", "policy/%3Cscript%3E", "policy/a%20b", "policy/%00"]
)
def test_there_is_no_such_resource(client: TestClient, path: str) -> None:
    assert client.get(f"/api/resources/{path}").status_code == 404


def test_health_tells_what_is_served(client: TestClient, engine: Engine) -> None:
    health = client.get("/health").json()
    manifest = engine.shelf.get().manifest
    assert health["status"] == "ok" and health["version"] == __version__ and health["model"] is None
    assert (health["release"], health["quads"]) == (1, manifest["quads"])
    assert health["documents"] == manifest["index"]["documents"]


def test_openapi_describes_every_parameter(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]["/api/search"]["get"]
    assert {p["name"] for p in described["parameters"]} == {
        *COLUMNS,
        "q",
        "limit",
        "offset",
        "mode",
        "cursor",
        "sort",
    }
    assert all(p.get("description") for p in described["parameters"] if p["name"] in COLUMNS)


def test_a_cursor_leads_through_all_pages_and_belongs_to_its_release(client: TestClient) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get("/api/search", params={"country": "GRC", "limit": 7, "cursor": cursor}).json()
        seen += [hit["iri"] for hit in page["hits"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == page["total"] > 7
    titles = client.get("/api/search", params={"country": "GRC", "limit": 100}).json()["hits"]
    assert [hit["iri"] for hit in titles] == seen
    assert [hit["title"].casefold() for hit in titles] == sorted(hit["title"].casefold() for hit in titles)
    late = client.get("/api/search", params={"cursor": "999-10"})
    assert late.status_code == 409 and late.json()["title"] == "The radar has changed"
    assert client.get("/api/search", params={"cursor": "x"}).status_code in (400, 422)


def test_answers_are_sorted_by_year_and_title(client: TestClient) -> None:
    asked = {"q": "telemonitoring", "limit": 100, "mode": "words"}
    years = [
        max((value["value"] for value in hit["filters"].get("year", [])), default="0")
        for hit in client.get("/api/search", params={**asked, "sort": "year"}).json()["hits"]
    ]
    assert years == sorted(years, reverse=True) and years[0] > "2000"
    best = {hit["iri"] for hit in client.get("/api/search", params=asked).json()["hits"]}
    by_title = client.get("/api/search", params={**asked, "sort": "title"}).json()["hits"]
    assert {hit["iri"] for hit in by_title} == best


def test_what_words_name_comes_with_the_answer(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "telemeditsiin Hispaanias", "limit": 1}).json()
    assert [(u["column"], u["value"], u["label"]) for u in found["understood"]] == [
        ("country", "ESP", "Spain"),
        ("theme", "telemedicine", "Telemedicine"),
    ]
    assert found["total"] == client.get("/health").json()["documents"], "nothing is hidden by a guess"
    assert found["sparql"].startswith("PREFIX") and found["confidence"] is None


@pytest.mark.parametrize(
    ("typed", "column", "value"),
    [
        ("telem", "theme", "telemedicine"),
        ("hispaa", "country", "ESP"),
        ("ελλά", "country", "GRC"),
        ("ELLA", "country", None),
        ("diabcare ti", "resource", "https://w3id.org/dhu/id/practice/starter-at-diabcare-tirol"),
    ],
)
def test_suggestions_as_one_types(client: TestClient, typed: str, column: str, value: str | None) -> None:
    found = client.get("/api/suggest", params={"q": typed}).json()
    assert len(found) <= 8 and len({(s["column"], s["value"]) for s in found}) == len(found)
    if value:
        assert (column, value) in [(s["column"], s["value"]) for s in found], found
    for hostile in ("", "\x00", "\ufdfa" * 50, "((((", " "):
        assert client.get("/api/suggest", params={"q": hostile}).status_code == 200


def test_what_is_like_several_and_what_they_share(client: TestClient) -> None:
    rows = client.get("/api/search", params={"q": "reimbursement of apps", "limit": 2}).json()["hits"]
    named = [hit["iri"] for hit in rows]
    found = client.get("/api/similar", params={"iri": named, "limit": 5}).json()["hits"]
    assert len(found) == 5 and not {hit["iri"] for hit in found} & set(named)
    for hit in found:
        for column, values in hit["shared"].items():
            for value in values:
                for each in (hit, *rows):
                    assert value["value"] in [v["value"] for v in each["filters"][column]]


def test_what_is_like_a_draft(client: TestClient) -> None:
    text = "A telemonitoring programme for people with heart failure, paid by the insurer. " * 30
    found = client.post("/api/similar", json={"text": text, "limit": 5}).json()
    assert len(found["hits"]) == 5 and found["iri"] == ""
    assert any("heart" in hit["summary"].lower() for hit in found["hits"])
    assert client.post("/api/similar", json={"text": " \x00 "}).status_code == 400
    assert client.post("/api/similar", json={"text": "x" * 1_000_001}).status_code in (400, 413, 422)
