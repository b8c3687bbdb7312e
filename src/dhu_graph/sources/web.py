"""Getting bytes from the web, with every answer held to bounds: its peer, its size, its time, its honesty about length."""

import ipaddress
import re
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from dhu_graph.errors import RemoteFailure

LARGEST = 2_000_000_000
"""Most bytes taken from one address, after decompression."""
LONGEST = 3_600.0
"""Seconds that one answer may take altogether."""
SLOWEST, PATIENCE = 1_000, 30.0
"""Fewest bytes a second, on the whole, once that many seconds have passed."""
REDIRECTS, TRIES = 5, 3
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
    home = urlsplit(trusted or url).hostname
    for attempt in range(1, TRIES + 1):
        try:
            answer, wait = _once(url, target, accept, query, home)
        except httpx.InvalidURL as error:
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
    headers = {"User-Agent": AGENT, "Accept": accept}
    with httpx.Client(timeout=60, follow_redirects=False, headers=headers, trust_env=True) as client:
        for _ in range(REDIRECTS + 1):
            _check_host(url, home)
            request = (
                client.build_request("POST", url, data={"query": query})
                if query
                else client.build_request("GET", url)
            )
            answer = client.send(request, stream=True)
            try:
                _check_peer(answer, url, home)
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
    begun, taken = time.monotonic(), 0
    with target.open("wb") as out:
        for block in answer.iter_bytes(1 << 16):
            taken += len(block)
            if taken > LARGEST:
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
    told = answer.headers.get("Content-Length", "")
    if told.isdecimal() and "Content-Encoding" not in answer.headers and int(told) != taken:
        raise RemoteFailure(f"{url} announced {int(told):,} bytes and sent {taken:,}.", "Try again later.")


def _check_host(url: str, home: str | None) -> None:
    """Raises RemoteFailure where an address that the operator did not give leads into a private network."""
    host = urlsplit(url).hostname or ""
    if host == home:
        return
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return  # the request itself will say so
    for *_, address in found:
        _check_address(str(address[0]), url)


def _check_peer(answer: httpx.Response, url: str, home: str | None) -> None:
    """The same for the machine that really answered: a name may have changed its address meanwhile."""
    if urlsplit(url).hostname == home:
        return
    stream = answer.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if peer:
        _check_address(str(peer[0]), url)


def _check_address(address: str, url: str) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or ip
    if not inner.is_global or inner.is_multicast:
        raise RemoteFailure(
            f"The server sends us on to {url[:200]}, which is inside a private network ({address}).",
            "If that is meant, give that address yourself: --from URL.",
        )


def _patience(header: str) -> float:
    """Seconds to wait by a Retry-After, which is a number of them or a date (RFC 9110, 10.2.3); 60 at most."""
    if re.fullmatch(r"\d{1,5}", header.strip()):
        return min(float(header), 60.0)
    try:
        left = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # no date, or one without a zone
        return 5.0
    return min(max(left, 1.0), 60.0)


check_host, check_peer = _check_host, _check_peer
"""For others who ask the web (the check of links): the same rule about private networks."""
