"""Query workers over a real store on disk: answers, limits, and what happens to a worker that dies."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph.errors import DhuError, QueryRejected, QueryTimeout, QueryTooLarge
from dhu_graph.settings import Settings
from dhu_graph.sparql import NotAcceptable, QueryPool

CROSS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "s"
    lines = "".join(
        f'<http://x/{n}> <http://x/p> "{n}" <http://x/g{n % 2}> .\n<http://x/{n}> <http://x/q> <http://x/{n + 1}> <http://x/g{n % 2}> .\n'
        for n in range(3000)
    )
    full = ox.Store(str(path))
    full.bulk_load(lines.encode(), ox.RdfFormat.N_QUADS)
    full.flush()
    del full
    return path


@pytest.fixture
def pool(store: Path) -> Iterator[QueryPool]:
    settings = Settings(sparql_timeout=1.0, sparql_memory_mb=1024, sparql_result_mb=1, sparql_workers=2)
    pool = QueryPool(store, settings, {"x": "http://x/"})
    yield pool
    pool.close()


def body(pool: QueryPool, query: str, **how: object) -> bytes:
    with pool.query(query, **how) as answer:  # type: ignore[arg-type]
        return b"".join(answer)


def rows(pool: QueryPool, query: str, **how: object) -> list[dict[str, str]]:
    found = json.loads(body(pool, query, format="json", **how))["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


@pytest.mark.parametrize(
    ("query", "format", "media_type"),
    [
        ("SELECT * { ?s x:p '1' }", "json", "application/sparql-results+json"),
        ("SELECT * { ?s x:p '1' }", "xml", "application/sparql-results+xml"),
        ("SELECT * { ?s x:p '1' }", "csv", "text/csv"),
        ("SELECT * { ?s x:p '1' }", "tsv", "text/tab-separated-values"),
        ("ASK { ?s x:p '1' }", "json", "application/sparql-results+json"),
        ("CONSTRUCT WHERE { x:1 x:p ?o }", "turtle", "text/turtle"),
        ("CONSTRUCT WHERE { x:1 x:p ?o }", "n-triples", "application/n-triples"),
        ("DESCRIBE x:1", "json-ld", "application/ld+json"),
        ("DESCRIBE x:1", "rdf/xml", "application/rdf+xml"),
    ],
)
def test_each_format_carries_the_answer(pool: QueryPool, query: str, format: str, media_type: str) -> None:
    with pool.query(query, format=format) as answer:
        text = b"".join(answer)
        assert answer.media_type == media_type
        assert answer.size == len(text)
    assert b"true" in text if query.startswith("ASK") else b"http://x/1" in text or b"x:1" in text


def test_what_cannot_carry_the_answer_is_not_acceptable(pool: QueryPool) -> None:
    with pytest.raises(NotAcceptable):
        pool.query("SELECT * { ?s ?p ?o }", accept="text/turtle")


def test_the_default_graph_is_the_union_unless_the_request_says_otherwise(pool: QueryPool) -> None:
    count = "SELECT (COUNT(*) AS ?n) { ?s x:p ?o }"
    assert rows(pool, count) == [{"n": "3000"}]
    assert rows(pool, count, default_graphs=["http://x/g0"]) == [{"n": "1500"}]
    assert rows(pool, "SELECT (COUNT(*) AS ?n) FROM x:g1 { ?s x:p ?o }") == [{"n": "1500"}]
    assert rows(pool, "SELECT (COUNT(*) AS ?n) { GRAPH x:g1 { ?s x:p ?o } }") == [{"n": "1500"}]


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_runs(pool: QueryPool) -> None:
    begun = time.monotonic()
    with pytest.raises(QueryTimeout):
        pool.query(CROSS)
    assert time.monotonic() - begun < 1.5
    assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def test_a_query_that_takes_too_much_memory_is_stopped(pool: QueryPool) -> None:
    with pytest.raises((QueryTooLarge, QueryTimeout)):
        pool.query("SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f", timeout=20)
    assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def test_an_answer_beyond_its_limit_is_an_error_and_not_half_an_answer(pool: QueryPool) -> None:
    with pytest.raises(QueryTooLarge, match="1 MB"):
        pool.query("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 100000", timeout=20)


@pytest.mark.parametrize(
    "query", ["SELECT * { ?s ?p", "SELECT ?x { } GROUP BY", "SELECT * { ?s nowhere:p ?o }"]
)
def test_a_malformed_query_is_rejected_with_a_reason(pool: QueryPool, query: str) -> None:
    with pytest.raises(QueryRejected, match="cannot be evaluated"):
        pool.query(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { " + "{" * 95 + "?s ?p ?o" + "}" * 95 + " } LIMIT 1",
        "SELECT * { " + " UNION ".join(["{ ?s ?p ?o }"] * 1490) + " } LIMIT 1",
        "SELECT * { ?s ?p ?o FILTER(" + "||".join(["?s=?p"] * 700) + ") } LIMIT 1",
        "SELECT (" + "+".join(["1"] * 1490) + " AS ?x) {}",
        "SELECT * { ?s " + "/".join(["x:q"] * 1490) + " ?o } LIMIT 1",
        "SELECT * { ?s ?p ?o " + "FILTER NOT EXISTS { ?s ?p ?o " * 95 + "}" * 95 + " } LIMIT 1",
        "SELECT * { ?s ?p " + "(" * 95 + "1" + ")" * 95 + " } LIMIT 1",
        "SELECT (" + "IF(true,1," * 95 + "1" + ")" * 95 + " AS ?x) {}",
        "SELECT * { VALUES ?s {" + " 1" * 20_000 + "} ?s ?p ?o } LIMIT 1",
        "SELECT * { ?s ?p ?o . " * 1 + " . ".join(["?s ?p ?o"] * 4000) + " } LIMIT 1",
    ],
)
def test_what_the_guard_lets_through_never_ends_more_than_its_worker(pool: QueryPool, query: str) -> None:
    try:
        pool.query(query).close()
    except DhuError as error:
        assert error.detail
    assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def test_many_threads_are_served_while_some_queries_are_stopped(pool: QueryPool) -> None:
    good: list[bool] = []
    stopped: list[bool] = []

    def ask(number: int) -> None:
        for _ in range(5):
            if number == 0:
                try:
                    pool.query(CROSS, timeout=0.3)
                except QueryTimeout:
                    stopped.append(True)
            else:
                good.append(
                    rows(pool, f"SELECT * {{ x:{number} x:p ?o }}", timeout=20) == [{"o": str(number)}]
                )

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(good) == 75 and all(good)
    assert len(stopped) == 5


def test_a_worker_killed_from_outside_is_replaced(pool: QueryPool) -> None:
    rows(pool, "SELECT * { x:7 x:p ?o }")
    for worker in list(pool._workers):
        os.kill(worker.process.pid, signal.SIGKILL)
    outcomes = []
    for _ in range(4):
        try:
            outcomes.append(rows(pool, "SELECT * { x:7 x:p ?o }"))
        except DhuError:
            pass
    assert outcomes[-1] == [{"o": "7"}]


def test_nothing_is_left_after_close(store: Path) -> None:
    pool = QueryPool(store, Settings(sparql_workers=3), {})
    pids = [worker.process.pid for worker in pool._workers]
    pool.query("ASK {}").close()
    pool.close()
    alive = subprocess.run(
        ["ps", "-o", "pid=", "-p", ",".join(map(str, pids))], capture_output=True, text=True
    )
    assert alive.stdout.strip() == ""
