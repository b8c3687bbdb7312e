"""Getting bytes from the web, with every answer held to bounds: its peer, its size, its time, its honesty about length."""

import contextlib
import re
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from dhu_graph.errors import RemoteFailure
from dhu_graph.sources import wire

LARGEST = 2_000_000_000
"""Most bytes taken from one address, after decompression."""
ANSWERING = 180.0
"""Seconds until an answer begins, with all redirects."""
LONGEST = 3_600.0
"""Seconds that one answer may take altogether."""
SLOWEST, PATIENCE = 1_000, 30.0
"""Fewest bytes a second, on the whole, once that many seconds have passed."""
REDIRECTS, TRIES = 5, 3
_GZIP, _BLOCK = 31, 1 << 18
AGENT = "dhu-graph/0.1 (+https://w3id.org/dhu/)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was fetched: the address that answered in the end, its media type, and the `next` link of its header."""

    url: str
    media: str
    next: str | None


def get(
    url: str, target: Path, *, accept: str = "*/*", query: str | None = None, trusted: str | None = None
) -> Answer:
    """Writes what an address answers to `target`. With `query` it is put to a SPARQL endpoint (POST).

    `trusted` is the address that the operator gave, `url` itself where it is left out: its own host may be a private one;
    any other host must have a public address. Raises RemoteFailure.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, TRIES + 1):
        try:
            answer, wait = _once(url, target, accept, query, _host(trusted or url))
        except (httpx.InvalidURL, ValueError) as error:
            raise RemoteFailure(f"{url} is no address that can be fetched: {error}.") from None
        except (httpx.HTTPError, OSError) as error:
            if attempt == TRIES or isinstance(error, (httpx.UnsupportedProtocol, httpx.TooManyRedirects)):
                raise RemoteFailure(
                    f"{url} could not be fetched: {error or type(error).__name__}.",
                    "Check the connection, or give a file: --from PATH.",
                ) from None
            answer, wait = None, float(attempt)
        if answer is not None:
            return answer
        if attempt < TRIES:
            time.sleep(wait)
    raise RemoteFailure(
        f"{url} said {TRIES} times that it is busy.", "Try again later, or give a file: --from PATH."
    )


def _once(
    url: str, target: Path, accept: str, query: str | None, home: str | None
) -> tuple[Answer | None, float]:
    """The answer, or None and how many seconds to wait where the server is busy."""
    headers = {"User-Agent": AGENT, "Accept": accept, "Accept-Encoding": "gzip"}
    with httpx.Client(timeout=60, follow_redirects=False, headers=headers, trust_env=True) as client:
        network = wire.bound(client, home, ANSWERING)
        for _ in range(REDIRECTS + 1):
            with contextlib.suppress(OSError):  # a name that cannot be found: the request itself will say so
                wire.addresses(_host(url) or "", home)
            request = (
                client.build_request("POST", url, data={"query": query})
                if query
                else client.build_request("GET", url)
            )
            answer = client.send(request, stream=True)
            try:
                if answer.has_redirect_location:
                    url = urljoin(url, answer.headers["Location"])
                    if urlsplit(url).scheme not in ("http", "https"):
                        raise RemoteFailure(
                            f"The server sends us on to {url[:200]}, which is no web address."
                        )
                    continue
                if answer.status_code in (429, 503):
                    return None, _patience(answer.headers.get("Retry-After", ""))
                if answer.status_code != 200:
                    raise RemoteFailure(
                        f"{url} answered {answer.status_code}.",
                        "Try again later, or give a file: --from PATH.",
                    )
                network.until(LONGEST)
                _take(answer, url, target)
                following = answer.links.get("next", {}).get("url")
                media = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                return Answer(url, media, urljoin(url, following) if following else None), 0.0
            finally:
                answer.close()
    raise RemoteFailure(
        f"{url} is the end of more than {REDIRECTS} redirects.", "Give the address where they end."
    )


def _take(answer: httpx.Response, url: str, target: Path) -> None:
    told = answer.headers.get("Content-Length", "")
    begun, taken = time.monotonic(), 0
    with target.open("wb") as out:
        for block in _unpacked(answer, url):
            taken += len(block)
            if taken > LARGEST or (told.isdecimal() and int(told[:20]) > LARGEST):
                raise RemoteFailure(
                    f"{url} is larger than {LARGEST:,} bytes.", "Download it and check what it is."
                )
            out.write(block)
            passed = time.monotonic() - begun
            if passed > LONGEST or (passed > PATIENCE and taken < SLOWEST * passed):
                raise RemoteFailure(
                    f"{url} is too slow: {taken:,} bytes in {passed:.0f} s.",
                    "Try again later, or give a file: --from PATH.",
                )


def _unpacked(answer: httpx.Response, url: str) -> Iterator[bytes]:
    """The bytes as they come, unpacked in small pieces: httpx unpacks all that has come at once, thousandfold."""
    coding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        yield from answer.iter_raw()
        return
    if coding not in ("gzip", "x-gzip"):
        raise RemoteFailure(
            f"{url} answered in the encoding {coding[:40]!r}, which was not asked for.", "Tell its owner."
        )
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for packed in answer.iter_raw():
            while packed:
                if unpacker.eof:  # a gzip may have several parts
                    unpacker = zlib.decompressobj(_GZIP)
                yield unpacker.decompress(packed, _BLOCK)
                packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    except zlib.error as error:
        raise RemoteFailure(f"{url} sent a gzip that is damaged: {error}.", "Try again later.") from None
    if not unpacker.eof:
        raise RemoteFailure(f"{url} sent a gzip that breaks off.", "Try again later.")


def _host(url: str) -> str | None:
    """The host of an address as connections are told it."""
    return httpx.URL(url).raw_host.decode("ascii") or None


def _patience(header: str) -> float:
    """Seconds to wait by a Retry-After, which is a number of them or a date (RFC 9110, 10.2.3); 60 at most."""
    if re.fullmatch(r"\d{1,5}", header.strip()):
        return min(float(header), 60.0)
    try:
        left = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return 5.0
    return min(max(left, 1.0), 60.0)
