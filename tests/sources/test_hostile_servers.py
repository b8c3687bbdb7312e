"""Hostile servers: slow, broken off, lying about lengths, sending us inside, round in circles, or without end."""

import gzip
import json
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dhu_graph import sources
from dhu_graph.errors import BadInput, RemoteFailure
from dhu_graph.ontology import Ontology
from dhu_graph.sources import Input, pages, web, wire
from hostile import Landed
from small_sources import practice

GOOD = b"".join(json.dumps(practice(n)).encode() + b"\n" for n in (1, 2))
Behave = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """A server on loopback that does what `behave` says; `asked` are the paths it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behave: Behave = lambda request: answer(request, GOOD)
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.behave(self)

    def log_message(self, *_: object) -> None:
        pass


def answer(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """Sends an answer; headers with `_` for `-`."""
    request.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between tries."""
    monkeypatch.setattr("dhu_graph.sources.web.time.sleep", lambda seconds: None)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, server: Server) -> dict[str, list[str]]:
    """What names mean: each call takes the next address, the last one stays. `93.184.215.14` leads to the server."""
    table: dict[str, list[str]] = {"public.example.org": ["93.184.215.14"]}
    real, connect = socket.getaddrinfo, socket.create_connection

    def found(host: Any, port: Any, *args: Any, **how: Any) -> Any:
        if host not in table:
            return real(host, port, *args, **how)
        address = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    def connected(address: tuple[str, int], *args: Any, **how: Any) -> socket.socket:
        if address[0] in table:  # as the system would: by the name, once more
            address = (found(address[0], address[1])[0][4][0], address[1])
        if address[0] == "93.184.215.14":
            address = ("127.0.0.1", server.server_address[1])
        return connect(address, *args, **how)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(socket, "create_connection", connected)
    return table


def failed(url: str, folder: Path, words: str) -> RemoteFailure:
    """What fetching an address fails with, in little time and memory."""
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RemoteFailure, match=words) as failure:
        web.get(url, folder / "answer")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert time.monotonic() - begun < 10 and grown < 60
    return failure.value


# ------------------------------------------------------------------------------------------------ slow


def pause(seconds: float) -> None:
    """Waits; `time.sleep` is what the tests take away."""
    threading.Event().wait(seconds)


def drip(request: BaseHTTPRequestHandler, first: bytes) -> None:
    """Sends a beginning, and then a byte now and then for a minute."""
    request.wfile.write(first)
    for _ in range(600):
        request.wfile.write(b"x")
        request.wfile.flush()
        pause(0.1)


def test_a_body_that_drips_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "PATIENCE", 0.5)
    server.behave = lambda request: drip(request, b"HTTP/1.1 200 OK\r\n\r\n")
    failed(server.url + "/x", tmp_path, "is too slow: [0-9]+ bytes in")


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 200 OK\r\nX-Head: ", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nA"]
)
def test_a_head_that_drips_is_given_up(
    first: bytes, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ANSWERING", 0.2)
    server.behave = lambda request: drip(request, first)
    failed(server.url + "/x", tmp_path, "could not be fetched")


def test_an_answer_that_is_announced_for_ever_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def behave(request: BaseHTTPRequestHandler) -> None:
        for _ in range(600):
            request.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            pause(0.05)

    monkeypatch.setattr(web, "ANSWERING", 0.2)
    server.behave = behave
    failed(server.url + "/x", tmp_path, "could not be fetched")


def test_a_body_may_not_take_longer_than_the_longest(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LONGEST", 0.5)
    server.behave = lambda request: drip(request, b"HTTP/1.1 200 OK\r\n\r\n")
    failed(server.url + "/x", tmp_path, "is too slow|could not be fetched")


# ------------------------------------------------------------------------------------------------ lengths


@pytest.mark.parametrize("more", [50, 10_000_000_000_000])
def test_an_answer_that_is_shorter_than_announced_is_a_failure(
    more: int, server: Server, tmp_path: Path
) -> None:
    server.behave = lambda request: answer(request, GOOD, Content_Length=str(len(GOOD) + more))
    failed(server.url + "/x", tmp_path, "could not be fetched|is larger than")


def test_an_answer_that_is_cut_off_within_a_chunk_is_a_failure(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request: (
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\nabc") and None
    )
    failed(server.url + "/x", tmp_path, "could not be fetched")


def test_what_is_announced_too_short_lands_what_is_whole(
    make_source, server: Server, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    server.behave = lambda request: answer(request, GOOD, Content_Length=str(len(GOOD) - 20))
    landed = Landed(make_source(), server.url + "/records.jsonl", tmp_path / "data", ontology)
    assert landed.titles == ["Practice 1"] and landed.reasons.startswith(
        "records.jsonl, line 2: The line is not"
    )


@pytest.mark.parametrize("length", ["-5", "abc", "9" * 5_000, "5, 6"])
def test_lengths_that_are_none_are_a_failure_and_no_accident(
    length: str, server: Server, tmp_path: Path
) -> None:
    server.behave = lambda request: answer(request, GOOD, Content_Length=length)
    failed(server.url + "/x", tmp_path, "could not be fetched|is larger than")


# ------------------------------------------------------------------------------------------------ without end


def zeros(request: BaseHTTPRequestHandler) -> None:
    """Ten gigabytes of nothing."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10_000):
        request.wfile.write(bytes(1_000_000))


def test_ten_gigabytes_are_given_up_at_the_limit(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 100_000_000)
    server.behave = zeros
    failed(server.url + "/x", tmp_path, "is larger than 100,000,000 bytes")
    assert (tmp_path / "answer").stat().st_size <= 100_000_000


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Ten gigabytes of nothing, twice packed: 10 MB after one unpacking."""
    packer = zlib.compressobj(9, wbits=31)
    block = packer.compress(bytes(20_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(bytes(20_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block + more * 499


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_ten_gigabytes_in_a_gzip_are_given_up_at_the_limit(
    coding: str, bomb: bytes, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 100_000_000)
    assert 5_000_000 < len(bomb) < 15_000_000
    server.behave = lambda request: answer(request, bomb, Content_Encoding=coding)
    failed(server.url + "/x", tmp_path, "is larger than 100,000,000 bytes")


def test_a_bomb_packed_twice_or_otherwise_is_not_unpacked(
    bomb: bytes, server: Server, tmp_path: Path
) -> None:
    twice = gzip.compress(bomb, 9)
    for coding in ("gzip, gzip", "br", "zstd", "deflate"):
        server.behave = lambda request, coding=coding: answer(request, twice, Content_Encoding=coding)  # type: ignore[misc]
        failed(server.url + "/x", tmp_path, "which was not asked for")


def test_an_honest_gzip_in_parts_is_read_and_a_broken_one_told(server: Server, tmp_path: Path) -> None:
    whole = gzip.compress(GOOD[:50]) + gzip.compress(GOOD[50:])
    server.behave = lambda request: answer(request, whole, Content_Encoding="gzip")
    web.get(server.url + "/x", tmp_path / "answer")
    assert (tmp_path / "answer").read_bytes() == GOOD
    for bad, words in ((whole[:-9], "breaks off"), (b"\x1f\x8bnone", "is damaged"), (GOOD, "is damaged")):
        server.behave = lambda request, bad=bad: answer(request, bad, Content_Encoding="gzip")  # type: ignore[misc]
        failed(server.url + "/x", tmp_path, words)


# ------------------------------------------------------------------------------------------------ where we are sent

INSIDE = [
    "127.0.0.1", "10.0.0.5", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_redirect_leads_inside(
    address: str, server: Server, names: dict[str, list[str]], tmp_path: Path
) -> None:
    inside = f"[{address}]" if ":" in address else address
    names["inside.example.org"] = [address]
    for target in (f"http://{inside}:{server.server_address[1]}/secret", "http://inside.example.org/secret"):
        server.behave = lambda request, target=target: answer(request, b"", 302, Location=target)  # type: ignore[misc]
        error = failed("http://public.example.org/x", tmp_path, "which is inside a private network")
        assert "give that address yourself" in error.hint
    assert set(server.asked) == {"/x"}


@pytest.mark.parametrize("number", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_no_other_way_of_writing_leads_inside(
    number: str, server: Server, names: dict[str, list[str]], tmp_path: Path
) -> None:
    target = f"http://{number}:{server.server_address[1]}/secret"
    server.behave = lambda request: answer(request, b"", 302, Location=target)
    failed(
        "http://public.example.org/x", tmp_path, "inside a private network|could not be fetched|is no address"
    )
    assert set(server.asked) == {"/x"}


def test_an_address_that_changes_after_the_check_is_not_connected_to(
    server: Server, names: dict[str, list[str]], tmp_path: Path
) -> None:
    names["turning.example.org"] = ["93.184.215.14", "127.0.0.1"]
    target = f"http://turning.example.org:{server.server_address[1]}/secret"
    server.behave = lambda request: answer(request, b"", 302, Location=target)
    failed("http://public.example.org/x", tmp_path, "which is inside a private network")
    assert server.asked == ["/x"]  # nothing has been said to the private address


def test_what_was_checked_is_what_is_connected_to(
    server: Server, names: dict[str, list[str]], tmp_path: Path
) -> None:
    names["turning.example.org"] = ["93.184.215.14", "93.184.215.14", "127.0.0.9"]
    answers: dict[str, Behave] = {
        "/x": lambda request: answer(request, b"", 302, Location="http://turning.example.org/y"),
        "/y": lambda request: answer(request, request.headers["Host"].encode()),
    }
    server.behave = lambda request: answers[request.path](request)
    web.get("http://public.example.org/x", tmp_path / "answer")
    assert (tmp_path / "answer").read_bytes() == b"turning.example.org"


def test_a_public_address_is_none_of_these() -> None:
    for address in ("93.184.215.14", "2606:2800:220:1::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"):
        assert wire._public(address), address


def test_redirects_in_a_circle_end(server: Server, tmp_path: Path) -> None:
    server.behave = lambda request: answer(request, b"", 302, Location="/x" if request.path == "/y" else "/y")
    failed(server.url + "/x", tmp_path, "more than 5 redirects")
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://a.example.org/",
        "javascript:x",
        "data:,x",
        "http://[",
        "http://",
        "http://a b/",
        "//x:y/",
        "http://" + "a" * 70 + ".example.org/",
    ],
)
def test_redirects_to_what_is_no_web_address_are_a_failure(
    target: str, server: Server, tmp_path: Path
) -> None:
    server.behave = lambda request: answer(request, b"", 302, Location=target)
    failed(
        server.url + "/x", tmp_path, "no web address|no address|could not be fetched|more than 5 redirects"
    )


# ------------------------------------------------------------------------------------------------ what is sent


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><title>Error</title>",
        b"\xef\xbb\xbf\n <HTML lang=en>",
        b"<!-- x -->\n<!doctype HTML>",
    ],
)
def test_an_error_page_that_says_all_is_well_is_a_failure(
    page: bytes, make_source, server: Server, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    source = make_source()
    server.behave = lambda request: answer(request, GOOD)
    before = Landed(source, server.url + "/records.jsonl", tmp_path / "data", ontology)
    server.behave = lambda request: answer(request, page, Content_Type="text/html")
    with pytest.raises(RemoteFailure, match="answered with a web page, not with jsonl"):
        Landed(source, server.url + "/records.jsonl", tmp_path / "data", ontology)
    server.behave = lambda request: answer(request, GOOD)
    assert Landed(source, server.url + "/records.jsonl", tmp_path / "data", ontology).lines == before.lines


def paged(server: Server, rule: str, folder: Path, source: sources.Source) -> int:
    """How many pages an address has."""
    item = Input(file="*", format="json" if rule == "fhir" else "xml", id="id", pages=rule)  # type: ignore[arg-type]
    return len(list(pages.get(source, item, server.url + "/x", folder / "pages")))


@pytest.mark.parametrize(
    ("rule", "body", "link"),
    [
        ("fhir", b'{"link": [{"relation": "next", "url": "/x"}]}', ""),
        ("fhir", b'{"link": [{"relation": "next", "url": "http://127.0.0.2/y"}]}', ""),
        ("fhir", b'{"link": [{"relation": "next", "url": "http://["}]}', ""),
        ("fhir", b'{"link": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        ("fhir", b'{"link": [1]}', ""),
        ("fhir", b"[" + b" " * 60_000_000 + b"]", ""),
        ("hydra", b"<e:1> <e:2> " + b"<<( <e:1> <e:2> " * 100_000, ""),
        ("hydra", b'<!doctype r [<!ENTITY a "b">]><r/>', ""),
        ("link", b"<r/>", '<http://[>; rel="next"'),
        ("link", b"<r/>", '<ftp://127.0.0.1/x>; rel="next"'),
        ("link", b"<r/>", '<http://elsewhere.example.org/>; rel="next"'),
    ],
    ids=["circle", "other host", "no address", "deep", "numbers", "large", "hydra deep", "hydra doctype", "bad link", "ftp", "other link"],
)  # fmt: skip
def test_pages_that_lead_nowhere_are_told(
    rule: str, body: bytes, link: str, make_source, server: Server, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    server.behave = lambda request: answer(request, body, **({"Link": link} if link else {}))
    begun = time.monotonic()
    with pytest.raises((RemoteFailure, BadInput)):
        paged(server, rule, tmp_path, make_source())
    assert time.monotonic() - begun < 10


def test_looking_for_a_token_takes_no_hours(make_source, server: Server, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for body in (b"<resumptionToken " * 200_000, b"<resumptionToken>x" + b" " * 3_000_000, b"<" * 3_000_000):
        server.behave = lambda request, body=body: answer(request, body)  # type: ignore[misc]
        begun = time.monotonic()
        assert paged(server, "oai-pmh", tmp_path, make_source()) == 1 and time.monotonic() - begun < 5


def test_all_pages_together_have_a_bound(
    make_source, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(pages, "LARGEST_ALL", 10_000)
    number = iter(range(1_000_000))
    server.behave = lambda request: answer(
        request, f'{{"link": [{{"relation": "next", "url": "/x{next(number)}"}}]}}'.encode() + b" " * 1_000
    )
    with pytest.raises(RemoteFailure, match="its pages take more than 10,000 bytes"):
        paged(server, "fhir", tmp_path, make_source())
    assert len(server.asked) < 12
