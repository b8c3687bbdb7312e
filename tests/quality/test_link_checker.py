"""The check of links against a real server on the loopback address, which a real check would not ask at all."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dhu_graph import Engine
from dhu_graph.cli import app
from dhu_graph.quality import links
from dhu_graph.quality.book import Book, Seen
from dhu_graph.quality.checker import AGENT, SILENT, Checker
from dhu_graph.sources import wire
from small_sources import practice, write_lines

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Site:
    """A web site that answers as `pages` says: a path → (status by HEAD, status by GET, headers)."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, int, dict[str, str]]] = {}
        self.robots: tuple[int, str] = (404, "")
        self.asked: list[tuple[float, str, str, str]] = []
        self.slow = 0.0
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._answer("HEAD")

            def do_GET(self) -> None:
                self._answer("GET")

            def _answer(self, method: str) -> None:
                site.asked.append((time.monotonic(), method, self.path, self.headers.get("User-Agent", "")))
                if self.path == "/robots.txt":
                    status, headers, body = site.robots[0], {}, site.robots[1].encode()
                else:
                    head, get, headers = site.pages.get(self.path, (404, 404, {}))
                    status, body = (head if method == "HEAD" else get), b"" if method == "HEAD" else b"page"
                    if self.path.startswith("/slow"):
                        time.sleep(site.slow)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:  # the checker does not read pages
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.root = f"http://127.0.0.1:{self.server.server_address[1]}"

    def paths(self, method: str = "") -> list[str]:
        return [path for _, how, path, _ in self.asked if path != "/robots.txt" and method in ("", how)]


@pytest.fixture
def guarded() -> Iterator[Site]:
    """A site; the rule about private addresses holds."""
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.server.shutdown()
    thread.join()
    site.server.server_close()


@pytest.fixture
def site(guarded: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site that may be asked although it is a private one."""
    monkeypatch.setattr(wire, "_public", lambda address: True)
    return guarded


def seen(site: Site, path: str, **options: Any) -> Seen:
    return Checker(**{"gap": 0.0, "timeout": 5.0, **options}).check(site.root + path)


def test_a_page_that_is_there_is_asked_by_head_alone_and_under_our_name(site: Site) -> None:
    site.pages["/here"] = (200, 200, {})
    assert seen(site, "/here") == Seen(site.root + "/here", "ok", 200)
    assert site.paths() == ["/here"] and site.asked[-1][1] == "HEAD"
    assert {agent for *_, agent in site.asked} == {AGENT}


@pytest.mark.parametrize(
    ("head", "get", "state", "status"),
    [
        (405, 200, "ok", 200),
        (404, 200, "ok", 200),
        (500, 200, "ok", 200),
        (404, 404, "gone", 404),
        (200, 404, "ok", 200),
        (410, 410, "gone", 410),
        (403, 403, "refused", 403),
        (401, 200, "refused", 401),
        (500, 500, "failed", 500),
        (429, 200, "refused", 429),
        (503, 200, "failed", 503),
    ],
)
def test_what_answers_mean(site: Site, head: int, get: int, state: str, status: int) -> None:
    site.pages["/x"] = (head, get, {})
    found = seen(site, "/x")
    assert (found.state, found.status) == (state, status)


def test_redirects_are_followed_and_told(site: Site) -> None:
    site.pages["/old"] = (301, 301, {"Location": "/new"})
    site.pages["/new"] = (200, 200, {})
    site.pages["/round"] = (302, 302, {"Location": "/round"})
    site.pages["/elsewhere"] = (302, 302, {"Location": "ftp://127.0.0.1/x"})
    assert seen(site, "/old").final == site.root + "/new"
    assert seen(site, "/round").state == "failed"
    assert seen(site, "/elsewhere").state == "refused"


def test_robots_are_respected(site: Site) -> None:
    site.pages |= {"/open": (200, 200, {}), "/shut": (200, 200, {})}
    site.robots = (200, "User-agent: *\nDisallow: /shut\n")
    assert seen(site, "/open").state == "ok" and seen(site, "/shut").state == "robots"
    assert site.paths() == ["/open"]
    site.robots = (200, "User-agent: dhu-graph-links\nDisallow: /\n")
    assert seen(site, "/open").state == "robots"
    site.robots = (500, "")
    assert seen(site, "/open").state == "robots"
    site.robots = (200, "User-agent: *\nCrawl-delay: 900\n")
    assert seen(site, "/open").state == "robots"
    assert site.paths() == ["/open"]


def test_a_host_is_asked_once_a_gap_and_robots_only_once(site: Site) -> None:
    site.pages |= {f"/{n}": (404, 200, {}) for n in range(2)}
    states = [s.state for s in Checker(gap=0.3).run(f"{site.root}/{n}" for n in range(2))]
    assert states == ["ok", "ok"]
    times = [when for when, *_ in site.asked]
    assert [path for *_, path, _ in site.asked].count("/robots.txt") == 1 and len(times) == 5
    assert min(b - a for a, b in zip(times, times[1:], strict=False)) > 0.25


def test_nothing_private_is_ever_asked(guarded: Site) -> None:
    guarded.pages["/x"] = (200, 200, {})
    for url in (
        guarded.root + "/x",
        guarded.root.replace("127.0.0.1", "localhost") + "/x",
        "http://[::1]:9/x",
    ):
        assert Checker(gap=0.0).check(url).state == "private"
    assert not guarded.asked


def test_a_redirect_into_a_private_network_is_not_followed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/inward"] = (302, 302, {"Location": "http://10.0.0.7/admin"})
    monkeypatch.setattr(wire, "_public", lambda address: address == "127.0.0.1")
    found = seen(site, "/inward")
    assert found.state == "private" and "10.0.0.7" in found.note


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://someone:secret@x.invalid/",
        "http://a b/",
        "mailto:someone",
        "http://",
        "http://x.invalid:99999/",
    ],
)
def test_what_is_no_address_ends_no_run(site: Site, url: str) -> None:
    site.pages["/here"] = (200, 200, {})
    states = {s.url: s.state for s in Checker(gap=0.0, timeout=2).run([url, site.root + "/here"])}
    assert states[site.root + "/here"] == "ok" and states[url] in ("failed", "refused", "private")


def test_a_timeout_is_doubtful_and_never_broken(site: Site, tmp_path: Path) -> None:
    site.pages["/slow"] = (200, 200, {})
    site.slow = 1.5
    (link,) = links.check(tmp_path, [site.root + "/slow"], None, Checker(gap=0.0, timeout=0.3))
    assert link.state == "doubtful" and link.failures == 1


def test_a_page_is_broken_after_failures_on_different_days(tmp_path: Path) -> None:
    failed = Seen("https://x.example.org/", "failed", note="no answer in time")
    with Book(tmp_path) as book:
        states = [book.put(failed, NOW + timedelta(hours=hours)).state for hours in (0, 1, 2, 21, 22, 42)]
        assert states == ["doubtful"] * 5 + ["broken"]
        assert book.put(Seen(failed.url, "ok", 200), NOW + timedelta(days=3)).state == "ok"
        assert book.put(failed, NOW + timedelta(days=4)).state == "doubtful"
        assert book.put(Seen(failed.url, "refused", 403), NOW + timedelta(days=5)).failures == 1
        assert book.put(Seen(failed.url, "gone", 404), NOW + timedelta(days=6)).state == "broken"


def test_the_other_pages_of_a_host_that_fails_wait_for_another_day(site: Site, tmp_path: Path) -> None:
    urls = [f"{site.root}/{n}" for n in range(SILENT + 3)]
    site.pages |= {f"/{n}": (502, 502, {}) for n in range(SILENT + 3)}
    with Book(tmp_path) as book:
        book.put(Seen(urls[-1], "ok", 200), NOW)
    found = list(links.check(tmp_path, urls, None, Checker(gap=0.0)))
    assert [link.state for link in found] == ["doubtful"] * SILENT
    with Book(tmp_path) as book:
        assert len(book.of(urls)) == SILENT + 1 and book.of(urls)[urls[-1]].state == "ok"


def test_the_longest_unseen_come_first_and_no_more_than_the_limit(site: Site, tmp_path: Path) -> None:
    site.pages |= {f"/{n}": (200, 200, {}) for n in range(4)}
    urls = [f"{site.root}/{n}" for n in range(4)]
    with Book(tmp_path) as book:
        book.put(Seen(urls[0], "ok", 200), NOW)
        book.put(Seen(urls[1], "ok", 200), NOW - timedelta(days=1))
    checked = [link.url for link in links.check(tmp_path, urls, 3, Checker(gap=0.0))]
    assert checked == [urls[2], urls[3], urls[1]]


PAGE_MAP = """
CONSTRUCT { ?s a dhu:GoodPractice ; dct:title ?title ; dct:description ?text ; dcat:landingPage ?page ; dct:spatial ?place . }
WHERE {
  ?r raw:is raw:Record ; raw:id ?id .
  BIND(fn:iri(?r, "practice", STR(?id)) AS ?s)
  { ?r raw:title ?x BIND(STRLANG(STR(?x), "en") AS ?title) }
  UNION { ?r raw:description ?x BIND(STRLANG(STR(?x), "en") AS ?text) }
  UNION { ?r raw:country ?x BIND(fn:country(?x) AS ?place) }
  UNION { ?r raw:page ?x BIND(fn:web(?x) AS ?page) }
}
"""


def test_the_command_checks_and_the_report_shows_it_with_its_date(
    site: Site, tmp_path: Path, make_source: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhu_graph.quality.checker.GAP", 0.0)
    site.pages["/good"] = (200, 200, {})
    source, data = make_source(map=PAGE_MAP), tmp_path / "data"
    described = source.folder / "source.toml"
    text = described.read_text(encoding="utf-8").replace("https://small.example.org/", site.root + "/good")
    described.write_text(text, encoding="utf-8")
    path = write_lines(
        tmp_path / "records.jsonl",
        practice(1, page=site.root + "/good"),
        practice(2, page=site.root + "/lost"),
    )
    with Engine.open(data=data, embed=False) as engine:
        engine.ingest("small", str(path), folder=source.folder)
        assert not [f for f in engine.quality("small") if f.metric.startswith("links")]
    run = CliRunner().invoke(
        app, ["--data", str(data), "quality", "links", "small", "-f", "csv"], env={"DHU_EMBED": "no"}
    )
    assert run.exit_code == 1 and f"broken,404,{site.root}/lost" in run.stdout
    with Engine.open(data=data, embed=False) as engine:
        figures = {f.metric: f for f in engine.quality("small")}
        assert figures["links-broken"].value == "1" and figures["links-checked"].value == "2"
        assert figures["links-broken"].checked[:10] == datetime.now(UTC).date().isoformat()
        lines = "".join(map(str, engine.shelf.get().graph.parent.rglob("*")))
    assert "links.sqlite" not in lines and (data / "quality" / "links.sqlite").is_file()
