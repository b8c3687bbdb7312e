"""Asking politely whether pages are still there: HEAD, then GET; robots.txt kept; one request a second to a host."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import httpx

from dhu_graph.errors import RemoteFailure
from dhu_graph.quality.book import Seen
from dhu_graph.sources import wire

GAP = 1.0
"""Seconds between two requests to one host, at least."""
SLOWEST_GAP = 30.0
"""The longest wait that a robots.txt may ask for; a host that asks for more is left alone."""
AGENT = "dhu-graph-links/0.1 (+https://w3id.org/dhu/)"
NAME = "dhu-graph-links"
LONGEST = 3_600.0
"""Seconds that all requests about one page may take, waits between them included."""
TIMEOUT, REDIRECTS, HOSTS, ROBOTS_BYTES = 20.0, 5, 8, 512_000
SILENT = 3
"""Failures in a row after which the other pages of a host wait for the next run."""
_GONE = {404, 410}
_TRY_GET = {400, 403, 404, 405, 406, 410, 500, 501}
"""Answers to HEAD that servers give which do not know the method, or do not like it."""


class Checker:
    """Checks addresses, several hosts at once, each host by itself."""

    def __init__(self, gap: float | None = None, timeout: float = TIMEOUT) -> None:
        self._gap, self._timeout = GAP if gap is None else gap, timeout
        self._next: dict[str, float] = {}
        self._gaps: dict[str, float] = {}
        self._rules: dict[str, RobotFileParser | str] = {}
        self._waits: dict[str, str] = {}
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def run(self, urls: Iterable[str]) -> Iterator[Seen]:
        """What each check saw, as it comes; `waits` for pages that were not asked for this time."""
        hosts: dict[str, list[str]] = {}
        for url in dict.fromkeys(urls):
            hosts.setdefault(_host(url), []).append(url)
        seen: queue.Queue[Seen] = queue.Queue()
        stopped = threading.Event()

        def one_host(pages: list[str]) -> None:
            for url in pages:
                if stopped.is_set():
                    return
                seen.put(self.check(url))

        with ThreadPoolExecutor(HOSTS, thread_name_prefix="links") as pool:
            work = [pool.submit(one_host, pages) for pages in hosts.values()]
            try:
                for _ in range(sum(map(len, hosts.values()))):
                    yield self._taken(seen, work)
            finally:  # also where the reader stops early
                stopped.set()
                for waiting in work:
                    waiting.cancel()

    @staticmethod
    def _taken(seen: "queue.Queue[Seen]", work: "list[Future[None]]") -> Seen:
        while True:
            try:
                return seen.get(timeout=1)
            except queue.Empty:
                for done in (future for future in work if future.done()):
                    done.result()  # a fault of ours is raised, not waited for

    def check(self, url: str) -> Seen:
        """What one address answers. Never raises for what the web does."""
        headers = {"User-Agent": AGENT, "Accept": "*/*"}
        seen = self._seen(url, headers)
        host = _host(url)
        with self._lock:
            self._failures[host] = self._failures[host] + 1 if seen.state == "failed" else 0
            if self._failures[host] >= SILENT:
                self._waits[host] = "its host failed several times"
        return seen

    def _seen(self, url: str, headers: dict[str, str]) -> Seen:
        try:
            with httpx.Client(timeout=self._timeout, headers=headers, follow_redirects=False) as client:
                # Only public addresses; every request has its own timeout, all of them together an hour at most.
                wire.bound(client, None, LONGEST)
                return self._followed(client, url)
        except _Held as held:
            return Seen(url, held.state, note=held.note)
        except RemoteFailure as error:  # only the check of addresses raises it
            return Seen(url, "private", note=error.detail)
        except httpx.TimeoutException:
            return Seen(url, "failed", note="no answer in time")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Seen(url, "failed", note=str(error)[:200] or type(error).__name__)

    def _followed(self, client: httpx.Client, url: str) -> Seen:
        here = url
        for _ in range(REDIRECTS + 1):
            status, onward = self._asked(client, here)
            if onward:
                here = urljoin(here, onward)
                continue
            final = here if here != url else ""
            if 200 <= status < 300:
                return Seen(url, "ok", status, final)
            if status in _GONE:
                return Seen(url, "gone", status, final)
            if status in (429, 503):
                with self._lock:
                    self._waits[_host(here)] = "the server is busy"
                return Seen(
                    url, "failed" if status == 503 else "refused", status, final, "the server is busy"
                )
            return Seen(url, "failed" if status >= 500 else "refused", status, final)
        return Seen(url, "failed", note=f"more than {REDIRECTS} redirects")

    def _asked(self, client: httpx.Client, url: str) -> tuple[int, str]:
        """(status, where a redirect leads) by HEAD, and by GET where HEAD may not tell the truth."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise _Held("refused", "no web address")
        if parts.username or parts.password:
            raise _Held("refused", "the address holds a name or a password")
        self._allowed(client, url)
        status, onward = self._send(client, "HEAD", url)
        return self._send(client, "GET", url) if status in _TRY_GET else (status, onward)

    def _send(self, client: httpx.Client, method: str, url: str) -> tuple[int, str]:
        self._wait(_host(url))
        answer = client.send(client.build_request(method, url), stream=True)
        try:
            return answer.status_code, answer.headers.get(
                "Location", ""
            ) if answer.has_redirect_location else ""
        finally:
            answer.close()  # the page itself is not read

    def _wait(self, host: str) -> None:
        """Until this host may be asked again."""
        with self._lock:
            if host in self._waits:
                raise _Held("waits", self._waits[host])
            gap = max(self._gap, self._gaps.get(host, 0.0))
            now = time.monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + gap
        time.sleep(turn - now)

    def _allowed(self, client: httpx.Client, url: str) -> None:
        """Raises _Held where robots.txt keeps us out (RFC 9309: a server that cannot give it keeps everybody out)."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._rules:
            rules = self._rules[origin] = self._robots(client, url)
            if isinstance(rules, RobotFileParser):
                self._gaps[_host(url)] = float(rules.crawl_delay(NAME) or 0)
        rules = self._rules[origin]
        if isinstance(rules, str):
            raise _Held("robots", rules)
        if not rules.can_fetch(NAME, url):
            raise _Held("robots", "robots.txt does not allow it")
        if self._gaps.get(_host(url), 0) > SLOWEST_GAP:
            raise _Held("robots", "robots.txt asks for longer waits than we have")

    def _robots(self, client: httpx.Client, url: str) -> RobotFileParser | str:
        rules, where = RobotFileParser(), urljoin(url, "/robots.txt")
        for _ in range(REDIRECTS + 1):
            self._wait(_host(where))
            # Not packed: a small robots.txt must not unpack to a large one.
            with client.stream("GET", where, headers={"Accept-Encoding": "identity"}) as answer:
                if answer.has_redirect_location:
                    where = urljoin(where, answer.headers["Location"])
                    if urlsplit(where).scheme not in ("http", "https"):
                        break
                    continue
                if answer.status_code >= 500 or answer.status_code == 429:
                    return f"robots.txt cannot be had ({answer.status_code})"
                text = b""
                if answer.status_code == 200:
                    for block in answer.iter_raw(1 << 14):
                        text += block
                        if len(text) > ROBOTS_BYTES:
                            break
                rules.parse(text[:ROBOTS_BYTES].decode("utf-8", "replace").splitlines())
                return rules
        rules.parse([])
        return rules


class _Held(Exception):
    """A page that we do not ask for, with the reason."""

    def __init__(self, state: str, note: str) -> None:
        super().__init__(note)
        self.state, self.note = state, note


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
