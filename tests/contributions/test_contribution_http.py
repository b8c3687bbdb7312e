"""Contributions over HTTP: template, sending, state, and moderation behind the key."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filled_templates import PRACTICE, to_csv, to_xlsx
from starlette.testclient import TestClient

from dhu_graph import Engine
from dhu_graph.contributions.checks import check
from dhu_graph.web import create_app

KEY = "a-long-key-for-tests-0123456789"
AUTH = {"Authorization": f"Bearer {KEY}"}
PATH = "/api/contributions"
CSV = {"content-type": "text/csv"}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A radar with one accepted contribution, so that there is a release to serve."""
    data = tmp_path_factory.mktemp("http")
    with Engine.open(
        data=data, embed=False, write_key=KEY, contribution_queue_max=60, contribution_organisation_max=20
    ) as engine:
        path = to_csv(engine.ontology, data / "first.csv", {**PRACTICE, "title": "First"})
        (placed,) = engine.contributions.receive(path, "Land Nordtal").placed
        engine.contributions.accept([placed.id])
        yield engine


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(engine), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def content(engine: Engine, tmp_path: Path) -> Any:
    """Makes the bytes of a filled-in template: `content({...}, form="xlsx")`."""

    def made(*rows: dict[str, str], form: str = "csv", language: str = "en") -> bytes:
        write = to_xlsx if form == "xlsx" else to_csv
        return write(engine.ontology, tmp_path / f"sent.{form}", *rows, language=language).read_bytes()

    return made


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_template_is_sent_as_a_file_that_can_be_filled_in(
    form: str, client: TestClient, engine: Engine, tmp_path: Path
) -> None:
    answer = client.get(f"{PATH}/template", params={"language": "mt", "format": form})
    assert (
        answer.status_code == 200
        and f'filename="dhu-contribution-mt.{form}"' in answer.headers["content-disposition"]
    )
    path = tmp_path / f"t.{form}"
    path.write_bytes(answer.content)
    assert check(path, path.name, "Somebody", engine.ontology, largest=10**7, most_rows=9).rows == []
    assert client.get(f"{PATH}/template").content[:2] == b"PK"


@pytest.mark.parametrize("query", ["language=xx", "format=ods", "langauge=de"])
def test_a_template_that_there_is_not_is_told(query: str, client: TestClient) -> None:
    problem(client.get(f"{PATH}/template?{query}"), 400)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_file_sent_as_a_form_is_queued(form: str, client: TestClient, content: Any) -> None:
    body = content({**PRACTICE, "title": f"Sent as a form of {form}"}, form=form)
    answer = client.post(
        PATH, files={"file": (f"practices.{form}", body)}, data={"organisation": "Stadt Nordtal"}
    )
    assert answer.status_code == 202
    told = answer.json()
    assert (told["rows"], told["queued"], told["error_count"], told["file"]) == (1, 1, 0, f"practices.{form}")
    state = client.get(f"{PATH}/{told['placed'][0]['id']}").json()
    told_of = {"id", "state", "reason", "received", "decided", "resource"}
    assert (state["state"], state["resource"]) == ("waiting", "") and set(state) == told_of


@pytest.mark.parametrize(
    "kind",
    [
        "text/csv",
        "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ],
)
def test_a_file_sent_bare_is_queued(kind: str, client: TestClient, content: Any) -> None:
    form = "csv" if kind == "text/csv" else "xlsx"
    body = content({**PRACTICE, "title": f"Sent as {kind}"}, form=form)
    answer = client.post(f"{PATH}?organisation=Stadt Nordtal", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["queued"]) == (202, 1)
    again = client.post(f"{PATH}?organisation=Stadt Nordtal", content=body, headers={"content-type": kind})
    assert (again.status_code, again.json()["queued"]) == (200, 0)
    assert again.json()["placed"] == answer.json()["placed"]


def test_good_rows_are_queued_and_bad_ones_told_by_their_cells(client: TestClient, content: Any) -> None:
    body = content(
        {**PRACTICE, "title": "A good one"},
        {**PRACTICE, "title": "A bad one", "themes": "Telmonitoring"},
        form="xlsx",
    )
    answer = client.post(PATH, files={"file": ("p.xlsx", body)}, data={"organisation": "Dorf Nordtal"})
    told = answer.json()
    assert (answer.status_code, told["rows"], told["queued"], told["error_count"]) == (202, 2, 1, 1)
    (error,) = told["errors"]
    assert (error["cell"], error["row"], error["column"]) == ("cell K6", 6, "themes")
    assert error["text"].startswith("p.xlsx, sheet Contributions, cell K6 (Theme): ")
    assert 'did you mean "Telemonitoring"?' in error["text"]


def test_no_good_row_is_a_problem_that_names_the_cells(
    client: TestClient, content: Any, engine: Engine
) -> None:
    before = len(engine.contributions.queue.entries())
    body = content({**PRACTICE, "title": "", "themes": "nonsense-xyz"})
    told = problem(client.post(f"{PATH}?organisation=Dorf Nordtal", content=body, headers=CSV), 422)
    assert [error["column"] for error in told["errors"]] == ["title", "themes"] and told["error_count"] == 2
    assert told["type"].startswith("/docs#bad-input") and len(engine.contributions.queue.entries()) == before


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ({"params": {"organisation": "Dorf"}, "content": b"", "headers": CSV}, 422),
        ({"params": {"organisation": "Dorf"}, "content": b"a,b\n1,2\n", "headers": CSV}, 422),
        ({"params": {"organisation": "Dorf"}, "content": b"PK\x03\x04", "headers": CSV}, 422),
        (
            {
                "params": {"organisation": "Dorf"},
                "content": b"{}",
                "headers": {"content-type": "application/json"},
            },
            415,
        ),
        ({"params": {"organization": "Dorf"}, "content": b"x", "headers": CSV}, 400),
        ({"data": {"organisation": "Dorf"}, "files": {"other": ("a.csv", b"x")}}, 400),
        ({"files": {"file": ("a.csv", b"x"), "file2": ("b.csv", b"x")}}, 400),
        ({"content": b"--", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 400),
    ],
)
def test_what_cannot_be_taken_is_a_problem(call: dict[str, Any], status: int, client: TestClient) -> None:
    problem(client.post(PATH, **call), status)


def test_who_sends_it_must_be_said(client: TestClient, content: Any) -> None:
    told = problem(client.post(PATH, content=content(PRACTICE), headers=CSV), 400)
    assert "organisation" in told["detail"]


def test_more_than_ten_megabytes_are_refused_declared_or_not(client: TestClient) -> None:
    large = b"x" * 10_200_000
    problem(client.post(f"{PATH}?organisation=Dorf", content=large, headers=CSV), 413)

    def blocks() -> Iterator[bytes]:
        for _ in range(110):
            yield b"x" * 100_000

    problem(client.post(f"{PATH}?organisation=Dorf", content=blocks(), headers=CSV), 413)
    form = {"file": ("a.csv", io.BytesIO(large))}
    problem(client.post(PATH, files=form, data={"organisation": "Dorf"}), 413)
    # Elsewhere the limit is as narrow as before.
    problem(
        client.post(
            "/sparql", content=b"x" * 1_000_000, headers={"content-type": "application/sparql-query"}
        ),
        413,
    )


def test_while_others_are_being_checked_the_next_is_told_to_wait(client: TestClient, content: Any) -> None:
    places = client.app.state.checks  # type: ignore[attr-defined]
    while places.acquire(blocking=False):
        pass
    try:
        answer = client.post(f"{PATH}?organisation=Dorf", content=content(PRACTICE), headers=CSV)
        assert problem(answer, 503)["title"] == "Busy" and answer.headers["retry-after"]
    finally:
        for _ in range(2):
            places.release()


def test_a_full_queue_is_told_and_nothing_is_taken(client: TestClient, content: Any, engine: Engine) -> None:
    before = len(engine.contributions.queue.entries())
    body = content(*({**PRACTICE, "title": f"Practice {n}"} for n in range(21)))
    told = problem(client.post(f"{PATH}?organisation=Flood", content=body, headers=CSV), 503)
    assert "At most 20 contributions of one organisation" in told["detail"]
    assert len(engine.contributions.queue.entries()) == before


def sent(client: TestClient, content: Any, title: str) -> str:
    answer = client.post(
        f"{PATH}?organisation=Kreis Nordtal", content=content({**PRACTICE, "title": title}), headers=CSV
    )
    return str(answer.json()["placed"][0]["id"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": "Bearer schlüssel".encode()},
        {"Cookie": f"key={KEY}"},
    ],
)
def test_moderation_needs_the_key(
    headers: dict[str, Any], client: TestClient, content: Any, engine: Engine
) -> None:
    id = sent(client, content, "Behind the key")
    for answer in (
        client.get(PATH, headers=headers),
        client.get(f"{PATH}?key={KEY}", headers=headers),
        client.post(f"{PATH}/{id}/accept", headers=headers),
        client.post(f"{PATH}/{id}/reject", json={"reason": "No."}, headers=headers),
    ):
        told = problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer" and KEY not in str(told)
    assert engine.contributions.queue.get(id).state == "waiting"


def test_without_a_key_in_the_settings_nothing_is_moderated_over_http(engine: Engine) -> None:
    with Engine.open(data=engine.settings.data, embed=False) as plain:
        with TestClient(create_app(plain), raise_server_exceptions=False) as client:
            for headers in ({}, {"Authorization": "Bearer "}, AUTH):
                assert (
                    problem(client.get(PATH, headers=headers), 403)["title"] == "Moderation over HTTP is off"
                )
                problem(client.post(f"{PATH}/x/accept", headers=headers), 403)


def test_the_key_is_shown_nowhere(engine: Engine) -> None:
    assert KEY not in repr(engine.settings) and KEY not in str(engine.settings.model_dump())


def test_a_moderator_lists_and_rejects_and_the_contributor_is_told_why(
    client: TestClient, content: Any
) -> None:
    id = sent(client, content, "To be rejected")
    listed = client.get(PATH, headers=AUTH).json()
    (entry,) = [each for each in listed if each["id"] == id]
    assert entry["organisation"] == "Kreis Nordtal" and entry["fields"]["title"] == "To be rejected"
    problem(client.post(f"{PATH}/{id}/reject", json={}, headers=AUTH), 400)
    told = client.post(
        f"{PATH}/{id}/reject", json={"reason": "Not about health.", "by": "moderator"}, headers=AUTH
    )
    assert told.json() == {"id": id, "state": "rejected", "release": None}
    state = client.get(f"{PATH}/{id}").json()
    assert (state["state"], state["reason"]) == ("rejected", "Not about health.")
    assert id not in [each["id"] for each in client.get(PATH, headers=AUTH).json()]
    problem(client.post(f"{PATH}/{id}/reject", json={"reason": "Again."}, headers=AUTH), 400)


def test_what_is_accepted_is_served_and_a_title_with_a_script_stays_text(
    client: TestClient, content: Any, engine: Engine
) -> None:
    title = "<script>alert('x')</script><img src=x onerror=alert(1)>"
    id = sent(client, content, title)
    waiting = client.get("/api/search", params={"q": "alert script onerror"}).json()["hits"]
    assert title not in [hit["title"] for hit in waiting]
    told = client.post(f"{PATH}/{id}/accept", headers=AUTH)
    assert told.status_code == 200 and told.json()["state"] == "accepted" and told.json()["release"] == 2
    engine.refresh()
    iri = f"/id/practice/contributions-{engine.contributions.queue.get(id).key}"
    page = client.get(f"{iri}.html")
    assert page.status_code == 200 and "&lt;script&gt;" in page.text
    assert "<script" not in page.text and "<img src=x" not in page.text
    assert "Kreis Nordtal" in page.text and "contributed by" in page.text
    assert client.get(f"/api/resources{iri.removeprefix('/id')}").json()["title"] == title
    state = client.get(f"{PATH}/{id}").json()
    assert state["state"] == "accepted" and state["resource"].endswith(iri)


def test_no_such_contribution_is_not_found(client: TestClient) -> None:
    problem(client.get(f"{PATH}/nobody"), 404)
    problem(client.post(f"{PATH}/nobody/accept", headers=AUTH), 404)
    problem(client.post(f"{PATH}/nobody/reject", json={"reason": "x"}, headers=AUTH), 404)


def test_the_methods_of_an_address_are_told(client: TestClient) -> None:
    assert client.request("DELETE", PATH).headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert client.post(f"{PATH}/template").headers["allow"] == "GET, HEAD, OPTIONS"
