"""What goes wrong is told in words, in the form asked for, and nothing of the inside gets out."""

import logging

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

from dhu_graph import Engine
from dhu_graph.web import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nowhere", 404),
        ("/id/policy/none", 404),
        ("/api/search?q=x&country=Narnia", 400),
        ("/sparql?query=x", 400),
        ("/sparql?query=ASK%7B%7D&format=turtle", 406),
        ("/?page=0", 400),
        ("/docs?x=%ff", 200),
    ],
)
def test_programs_get_a_problem_and_people_a_page(client: TestClient, address: str, status: int) -> None:
    answer, seen = client.get(address), client.get(address, headers=BROWSER)
    assert answer.status_code == seen.status_code == status
    if status == 200:
        return
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status and problem["title"] and problem["detail"]
    assert seen.headers["content-type"].startswith("text/html")
    assert "Back to the search" in seen.text
    assert "Accept" in answer.headers["vary"] and answer.headers["cache-control"] == "no-store"


def test_the_type_of_a_problem_leads_to_its_explanation(client: TestClient) -> None:
    page = client.get("/docs").text
    for address in (
        "/sparql?query=x",
        "/id/a/b",
        "/api/search?q=%00",
        "/sparql?query=ASK%7B%7D&format=turtle",
    ):
        place, anchor = client.get(address).json()["type"].split("#")
        assert place == "/docs" and f'id="{anchor}"' in page


def test_a_method_that_is_not_there_is_405_and_tells_which_are(client: TestClient) -> None:
    answer = client.put("/sparql", content=b"x")
    assert answer.status_code == 405 and "POST" in answer.headers["allow"]
    assert client.delete("/id/policy/starter-de-diga").status_code == 405
    assert "POST" not in client.post("/ns").headers["allow"]


def test_every_answer_has_the_headers_that_protect(client: TestClient) -> None:
    for address in ("/", "/nowhere", "/sparql?query=x", "/api/queries", "/static/style.css", "/openapi.json"):
        for answer in (client.get(address), client.get(address, headers=BROWSER), client.options(address)):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"]


def test_a_fault_of_ours_is_a_500_without_a_trace(
    client: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(engine, "filter", fails)
    with caplog.at_level(logging.ERROR, logger="dhu_graph.web"):
        answer, seen = client.get("/api/search?q=x"), client.get("/?q=x", headers=BROWSER)
    for told in (answer, seen):
        assert told.status_code == 500
        assert "secret" not in told.text and "Traceback" not in told.text and "filter" not in told.text
        assert told.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["title"] and answer.headers["content-type"] == "application/problem+json"
    assert "secret of the house" in caplog.text


def test_what_is_too_large_is_refused(client: TestClient, engine: Engine) -> None:
    assert client.get("/?q=" + "a" * 3000).status_code == 400
    assert client.get("/api/search?q=" + "%CE%B1" * 3000).status_code == 414
    assert client.get("/" + "a" * 20_000).status_code == 414
    assert client.get("/", headers={"X-Long": "a" * 40_000}).status_code == 431
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    large = b"query=" + b"a" * (13 * engine.settings.sparql_length)
    assert client.post("/sparql", content=large, headers=form).status_code == 413

    def pieces() -> object:
        for _ in range(0, len(large), 10_000):
            yield b"a" * 10_000

    assert client.post("/sparql", content=pieces(), headers=form).status_code == 413  # type: ignore[arg-type]
    long = {"query": "ASK {}" + " " * engine.settings.sparql_length}
    assert client.post("/sparql", data=long).status_code == 400
    allowed = {
        "query": "ASK { FILTER('" + "\U0001f600" * (engine.settings.sparql_length - 100) + "' != '') }"
    }
    assert client.post("/sparql", data=allowed).json()["boolean"] is True
    many = "&".join(f"a{n}=1" for n in range(1_500))
    assert client.post("/sparql", content=many, headers=form).status_code == 400


@pytest.mark.parametrize("host", ["evil.example/<x>", 'a"b', "a b", "a>b", "[", "evil.example"])
def test_an_odd_host_header_harms_nobody(client: TestClient, host: str) -> None:
    for address in ("/sparql", "/api/search?q=health", "/id/policy/starter-de-diga", "/"):
        answer = client.get(address, headers={"Host": host})
        assert answer.status_code in (200, 303, 400), (address, answer.text)
        if address == "/sparql" and answer.status_code == 200:
            assert list(ox.parse(answer.content, ox.RdfFormat.TURTLE))
        if address.startswith("/id/"):
            assert answer.headers["location"] == f"{address}.ttl"
        if address == "/":
            assert "evil.example" not in answer.text


def test_without_a_release_it_says_so_and_takes_the_first_one_up(tmp_path: object) -> None:
    with TestClient(create_app(Engine.open(data=str(tmp_path), embed=False))) as empty:
        health = empty.get("/health")
        assert health.status_code == 503 and health.json()["status"] == "unavailable"
        assert "dhu build" in health.json()["problem"] and health.headers["retry-after"]
        for address in ("/api/search?q=x", "/sparql?query=ASK%7B%7D", "/id/a/b", "/"):
            assert empty.get(address).status_code == 503
        assert empty.get("/ns").status_code == 200 and empty.get("/docs").status_code == 200
