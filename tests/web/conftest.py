"""The starter radar behind a client, and behind a real server in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dhu_graph import Engine
from dhu_graph.web import create_app

SERVE = """
import sys
from dhu_graph import Engine, web
with Engine.open(data=sys.argv[1], embed=False, sparql_timeout=30, sparql_workers=2) as engine:
    with web.bound("127.0.0.1", int(sys.argv[2])) as taken:
        web.serve(engine, taken, lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.fixture(scope="session")
def engine(radar: Engine) -> Iterator[Engine]:
    """The radar opened a second time: the client ends it, and sends less at once."""
    with Engine.open(data=radar.settings.data, embed=False, sparql_result_mb=12) as engine:
        yield engine


@pytest.fixture(scope="session")
def client(engine: Engine) -> Iterator[TestClient]:
    """A client that follows no redirect; a fault of the server is a 500, as it is for everybody."""
    with TestClient(create_app(engine), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def hasty(radar: Engine) -> Iterator[TestClient]:
    """A client of a server that gives a query half a second; apart, so that a busy machine fails no other test."""
    with Engine.open(data=radar.settings.data, embed=False, sparql_timeout=0.5) as engine:
        with TestClient(create_app(engine), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture(scope="session")
def two_releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with releases 1 and 2, the second with indicators."""
    data = tmp_path_factory.mktemp("two")
    with Engine.open(data=data, embed=False) as engine:
        engine.ingest("starter")
        engine.ingest("indicators")
        assert engine.shelf.numbers() == [1, 2]
    return data


@contextmanager
def served(data: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server over a data folder, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(data), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
