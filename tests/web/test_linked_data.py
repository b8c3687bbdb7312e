"""Linked data: every IRI of the radar leads to a document, in every form."""

import re

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

from dhu_graph import Engine

BASE = "https://w3id.org/dhu/"
FORMS = {
    "ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    "nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
    "jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    "rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PLACES = [
    "id/policy/starter-de-diga",
    "id/source/starter",
    "vocab/theme/telemonitoring",
    "vocab/theme",
    "graph/starter",
    "graph/vocab",
]


@pytest.mark.parametrize("path", PLACES)
def test_a_name_leads_to_a_document_by_303(client: TestClient, path: str) -> None:
    for ending, (media_type, _) in FORMS.items():
        answer = client.get(f"/{path}", headers={"Accept": media_type})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/{path}.{ending}")
        assert "Accept" in answer.headers["vary"]
    assert client.get(f"/{path}", headers=BROWSER).headers["location"] == f"/{path}.html"
    assert client.get(f"/{path}").headers["location"] == f"/{path}.ttl"
    assert client.head(f"/{path}").status_code == 303
    assert client.get(f"/{path}", headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("path", PLACES[:4])
def test_documents_say_the_same_in_every_form(client: TestClient, radar: Engine, path: str) -> None:
    with radar.reading() as opened:
        expected = {str(quad.triple) for quad in opened.resources.quads(BASE + path)}
    for ending, (media_type, format) in FORMS.items():
        answer = client.get(f"/{path}.{ending}")
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert {str(t) for t in ox.parse(answer.content, format)} == expected
        assert f'<{BASE}{path}>; rel="describes"' in answer.headers["link"]
        assert 'rel="alternate"; type="text/html"' in answer.headers["link"]
    page = client.get(f"/{path}.html")
    assert page.status_code == 200 and BASE + path in page.text


def test_the_graph_of_a_source_comes_whole(client: TestClient, radar: Engine) -> None:
    answer = client.get("/graph/starter.nt")
    lines = answer.text.splitlines()
    assert len(lines) == radar.shelf.get().manifest["sources"]["starter"]["quads"]
    page = client.get("/graph/starter.html")
    assert str(len(lines)) in page.text and "/id/source/starter" in page.text
    assert client.get("/graph/nothing").status_code == 404
    assert "vocab" in client.get("/graph/nothing").json()["hint"]


def test_what_is_kept_is_not_sent_again(client: TestClient) -> None:
    tags = set()
    for path in (
        "/id/policy/starter-de-diga.ttl",
        "/id/policy/starter-de-diga.html",
        "/graph/vocab.nt",
        "/ns",
    ):
        first = client.get(path)
        etag = first.headers["etag"]
        tags.add(etag)
        for held in (etag, f'"x", W/{etag}', "*"):
            again = client.get(path, headers={"If-None-Match": held})
            assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == etag
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert len(tags) == 4 and any(tag.startswith('"1-') for tag in tags)


@pytest.mark.parametrize(
    "path",
    [
        "id/policy/none",
        "id/policy/none.ttl",
        "id/",
        "id/policy/..%2F..%2Fetc%2Fpasswd",
        "id/%2e%2e/%2e%2e/health",
        "id/policy/starter-de-diga/",
        "id/policy//starter-de-diga",
        "id/policy/%00",
        "id/policy/a%0d%0aSet-Cookie:x=1",
        "id/policy/%3E%3Cscript%3E.html",
        "id/policy/%FF",
        "id/" + "a" * 8000,
        "vocab/theme/none.html",
        "graph/a..b",
        "graph/vocab.exe",
        "graph/x%0a",
        "static/../app.py",
        "static/%2e%2e/app.py",
        "static/..%2fapp.py",
    ],
)
def test_odd_paths_lead_nowhere(client: TestClient, path: str) -> None:
    answer = client.get(f"/{path}")
    assert answer.status_code == 404, answer.text[:200]
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", PLACES[:4])
def test_links_inside_the_radar_lead_to_pages(client: TestClient, path: str) -> None:
    page = client.get(f"/{path}.html").text
    inside = {
        address for address in re.findall(r'href="(/[^"#]*)', page) if not address.startswith("/static")
    }
    assert len(inside) > 8
    for address in sorted(inside):
        answer = client.get(address, headers=BROWSER)
        assert answer.status_code in (200, 303), address
        if answer.status_code == 303:
            assert client.get(answer.headers["location"]).status_code == 200


def test_a_page_shows_parts_sources_pointing_and_as_of(client: TestClient) -> None:
    page = client.get("/id/policy/starter-de-diga.html").text
    assert "As of 20" in page and 'class="part"' in page and "What points here" in page
    assert 'href="/graph/starter"' in page and "Most like it" in page
    assert '<span lang="de">Digitale Gesundheitsanwendungen (DiGA)</span>' in page
    assert "/ns#asOf" in page


def test_the_ontology_comes_in_every_form(client: TestClient) -> None:
    sets = []
    for media_type, format in FORMS.values():
        answer = client.get("/ns", headers={"Accept": media_type})
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert "Accept" in answer.headers["vary"]
        sets.append({str(t) for t in ox.parse(answer.content, format) if "_:" not in str(t)})
    assert sets[0] and all(found == sets[0] for found in sets)


def test_the_page_of_the_ontology_has_an_anchor_for_every_term(client: TestClient) -> None:
    page = client.get("/ns", headers=BROWSER).text
    for local in ("GoodPractice", "Resource", "asOf", "lead", "maturity"):
        assert f'id="{local}"' in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_shapes_are_turtle(client: TestClient) -> None:
    answer = client.get("/shapes")
    assert answer.headers["content-type"].startswith("text/turtle")
    assert len(list(ox.parse(answer.content, ox.RdfFormat.TURTLE))) > 50
