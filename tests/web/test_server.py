"""The real server in a process of its own: its port, its end, and new releases under load."""

import json
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest

from conftest import served
from dhu_graph import Engine, web
from dhu_graph.errors import UsageError
from dhu_graph.web import watcher

CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def test_a_busy_port_is_told_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError) as caught, web.bound("127.0.0.1", port):
            pass
    assert str(port) in caught.value.detail and "--port" in caught.value.hint


def test_a_host_that_is_not_ours_is_told() -> None:
    with pytest.raises(UsageError), web.bound("192.0.2.1", 0):
        pass


def test_port_0_announces_the_true_address(two_releases: Path) -> None:
    with served(two_releases) as (_, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d+/", url)
        answer = httpx.get(url + "health", trust_env=False)
        assert answer.json()["release"] == Engine.open(data=two_releases).shelf.current()
        assert "server" not in answer.headers


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_5_seconds_amid_a_query_and_quietly(
    two_releases: Path, number: signal.Signals
) -> None:
    with served(two_releases) as (process, url):
        got: list[httpx.Response] = []
        asked = threading.Thread(
            target=lambda: got.append(
                httpx.get(url + "sparql", params={"query": CROSS}, timeout=60, trust_env=False)
            )
        )
        asked.start()
        time.sleep(1.0)
        begun = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - begun < 5.0
        asked.join(20)
    assert process.returncode == 0 and "ended" in out
    assert "Traceback" not in err, err
    assert got[0].status_code == 503 and got[0].headers["retry-after"]


def test_releases_flip_under_load_without_one_failed_request(two_releases: Path) -> None:
    shelf = Engine.open(data=two_releases).shelf
    shelf.flip(1)
    count = "SELECT (COUNT(*) AS ?n) { ?s a dhu:IndicatorObservation }"
    asks = [
        "sparql?" + httpx.QueryParams({"query": count}).__str__(),
        "api/search?q=telemonitoring",
        "id/policy/starter-de-diga.html",
        "?q=heart+failure",
        "graph/vocab.nt",
        "health",
    ]
    with served(two_releases) as (_, url):
        stop, failed, seen, done = threading.Event(), [], set(), [0] * 8

        def ask(place: int) -> None:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                while not stop.is_set():
                    address = asks[(done[place] + place) % len(asks)]
                    try:
                        answer = client.get("/" + address)
                        if answer.status_code != 200:
                            failed.append((address, answer.status_code, answer.text[:300]))
                        elif address == "health":
                            seen.add(answer.json()["release"])
                    except httpx.HTTPError as error:
                        failed.append((address, type(error).__name__, str(error)))
                    done[place] += 1

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for number in (2, 1, 2, 1, 2):
            shelf.flip(number)
            time.sleep(2 * watcher.EVERY)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not failed, failed[:5]
        assert seen == {1, 2} and sum(done) > 100
        value = httpx.get(url + asks[0], trust_env=False).json()["results"]["bindings"][0]["n"]["value"]
        assert int(value) > 0


def test_a_release_that_cannot_be_opened_is_told_once_and_the_old_one_serves(
    two_releases: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Engine.open(data=two_releases, embed=False) as engine:
        engine.shelf.flip(1)
        watching = watcher.Watcher(engine)
        watching.look()
        pointer = two_releases / "current"
        pointer.write_text("99\n")
        try:
            for _ in range(3):
                watching.look()
            assert "99" in watching.problem and len(caplog.records) == 1
            with engine.reading() as opened:
                assert opened.release.number == 1
        finally:
            engine.shelf.flip(1)
        watching.look()
        assert watching.problem == ""


def test_a_raw_request_with_endless_headers_is_cut_off(two_releases: Path) -> None:
    with served(two_releases) as (_, url):
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            sent = 0
            try:
                while sent < 8 << 20:
                    line.sendall(b"X-A: " + b"a" * 8000 + b"\r\n")
                    sent += 8000
            except OSError:
                pass
        assert sent < 8 << 20
        with urllib.request.urlopen(url + "health") as answer:
            assert json.load(answer)["status"] == "ok"
