"""Where the bytes come from: the project, a file, a folder, an address; and what is said where they do not come."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dhu_graph import Engine, sources
from dhu_graph.errors import BadInput, RemoteFailure, UsageError
from dhu_graph.sources import fetch as run_fetch
from small_sources import practice, write_lines


class Answers(BaseHTTPRequestHandler):
    """`/records.jsonl` gives three lines, `/moved` leads there, `/short` breaks off, anything else is not there."""

    def do_GET(self) -> None:
        body = b"".join(b'{"id": "%d"}\n' % n for n in range(3))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/records.jsonl")
            self.end_headers()
        elif self.path in ("/records.jsonl", "/short"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) + 100 * (self.path == "/short")))
            self.end_headers()
            self.wfile.write(body)
        else:
            self.send_error(404 if self.path == "/missing" else 500)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    """The root of a web server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def small(make_source) -> sources.Source:  # type: ignore[no-untyped-def]
    source: sources.Source = make_source()
    return source


def test_an_address_is_downloaded_and_read(small: sources.Source, address: str, tmp_path: Path) -> None:
    for path in ("/records.jsonl", "/moved"):
        (file,) = run_fetch(small, address + path, tmp_path / "scratch")
        assert [r.id for r in sources.records(file) if not isinstance(r, sources.Unreadable)] == [
            "0",
            "1",
            "2",
        ]


@pytest.mark.parametrize(
    ("path", "words"),
    [("/missing", "answered 404"), ("/broken", "answered 500"), ("/short", "could not be fetched")],
)
def test_an_address_that_fails_is_a_remote_failure(
    path: str, words: str, small: sources.Source, address: str, tmp_path: Path
) -> None:
    with pytest.raises(RemoteFailure, match=words) as failure:
        run_fetch(small, address + path, tmp_path / "scratch")
    assert address + path in failure.value.detail and "--from PATH" in failure.value.hint


def test_a_refused_connection_is_a_remote_failure(small: sources.Source, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        with pytest.raises(RemoteFailure, match="could not be fetched"):
            run_fetch(small, f"http://127.0.0.1:{taken.getsockname()[1]}/x.jsonl", tmp_path / "scratch")


def test_a_file_that_is_too_large_is_a_remote_failure(
    small: sources.Source, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dhu_graph.sources.web.LARGEST", 10)
    with pytest.raises(RemoteFailure, match="larger than 10 bytes"):
        run_fetch(small, address + "/records.jsonl", tmp_path / "scratch")


@pytest.mark.parametrize("location", ["ftp://a.example.org/x", "file:///etc/hosts", "javascript://x"])
def test_other_schemes_are_a_usage_error(location: str, small: sources.Source, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not an http address"):
        run_fetch(small, location, tmp_path)


def test_a_path_that_is_not_there_is_bad_input(small: sources.Source, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither a file nor a folder"):
        run_fetch(small, str(tmp_path / "nowhere"), tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"no file records.jsonl in"):
        run_fetch(small, str(tmp_path / "empty"), tmp_path)


def test_without_an_address_the_way_to_give_a_file_is_said(small: sources.Source, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no address") as failure:
        run_fetch(small, None, tmp_path)
    assert "--from" in failure.value.hint


def test_one_file_of_a_source_with_several_inputs_is_told_by_its_name(tmp_path: Path) -> None:
    indicators = sources.load("indicators")
    figures = indicators.folder / "figures"
    (file,) = run_fetch(indicators, str(figures / "raw" / "raw_isoc_iuapr.json"), tmp_path)
    assert file.input.name == "iuapr"
    stray = tmp_path / "other.json"
    stray.write_text("{}")
    with pytest.raises(UsageError, match="fits none of them"):
        run_fetch(indicators, str(stray), tmp_path)


def test_files_of_a_folder_come_in_a_stable_order(tmp_path: Path) -> None:
    starter = sources.load("starter")
    names = [f.name for f in run_fetch(starter, None, tmp_path)]
    assert names == sorted(names) and len(names) == 4


def test_a_source_that_fails_leaves_the_last_release_and_graph(
    make_source, address: str, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    source = make_source()
    good = write_lines(tmp_path / "good.jsonl", *(practice(n) for n in range(3)))
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        engine.ingest("small", str(good), folder=source.folder)
        before = (tmp_path / "data/sources/small/graph.nq.gz").read_bytes()
        with pytest.raises(RemoteFailure):
            engine.ingest("small", address + "/missing", folder=source.folder)
        assert engine.shelf.numbers() == [1]
        assert (tmp_path / "data/sources/small/graph.nq.gz").read_bytes() == before
        assert len(engine.search("practice")) == 3
