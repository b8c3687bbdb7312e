"""Query workers over a real store on disk: answers, limits, and what happens to a worker that dies."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph.errors import Busy, DhuError, QueryRejected, QueryTimeout, QueryTooLarge, ReleaseError
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
    with pytest.raises(QueryTooLarge, match="ran out of memory"):
        pool.query("SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f", timeout=60)
    assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def test_an_answer_beyond_its_limit_is_an_error_and_not_half_an_answer(pool: QueryPool) -> None:
    with pytest.raises(QueryTooLarge, match="1 MB"):
        pool.query("SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 100000", timeout=20)


@pytest.mark.parametrize(
    "query", ["SELECT * { ?s ?p", "SELECT ?x { } GROUP BY", "SELECT * { ?s nowhere:p ?o }"]
)
def test_a_malformed_query_is_rejected_with_a_reason(pool: QueryPool, query: str) -> None:
    with pytest.raises(QueryRejected, match="not valid SPARQL|never closed|not declared"):
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
    before = pool.pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for _ in range(4):
        assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def test_a_worker_that_crashes_amid_a_query_says_so_and_is_replaced(pool: QueryPool) -> None:
    killer = threading.Timer(0.3, lambda: [os.kill(pid, signal.SIGSEGV) for pid in pool.pids])
    killer.start()
    with pytest.raises(QueryRejected, match="crashed its worker .SIGSEGV"):
        pool.query(CROSS, timeout=20)
    killer.join()
    assert rows(pool, "SELECT * { x:7 x:p ?o }") == [{"o": "7"}]


def _runs(pid: int) -> bool:
    """Whether the process is there, be it as a zombie that nobody waited for."""
    return Path(f"/proc/{pid}").exists()


def _left(pids: set[int]) -> set[int]:
    """Those that still run after 3 s."""
    deadline = time.monotonic() + 3
    while (left := {pid for pid in pids if _runs(pid)}) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def test_nothing_is_left_after_close(store: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    pool = QueryPool(store, Settings(sparql_workers=3, sparql_timeout=0.3), {})
    pids = set(pool.pids)
    for query in ("ASK {}", CROSS, "SELECT * { ?s ?p ?o }"):
        try:
            pool.query(query).close()
        except QueryTimeout:
            pass
        pids |= set(pool.pids)
    pool.close()
    pool.close()
    assert not {pid for pid in pids if _runs(pid)}
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(Busy):
        pool.query("ASK {}")


def test_close_ends_a_running_query_after_a_while_and_tells_it(store: Path) -> None:
    pool = QueryPool(store, Settings(sparql_workers=1), {})
    pids = set(pool.pids)
    told: list[DhuError] = []

    def ask() -> None:
        try:
            pool.query(CROSS)
        except DhuError as error:
            told.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    begun = time.monotonic()
    pool.close(wait=0.2)
    assert time.monotonic() - begun < 2
    thread.join(5)
    assert isinstance(told[0], Busy)
    assert not _left(pids)


def test_a_caller_waits_no_longer_for_a_worker_than_for_an_answer(store: Path) -> None:
    with QueryPool(store, Settings(sparql_workers=1), {}) as pool:

        def occupy() -> None:
            with pytest.raises(QueryTimeout):
                pool.query(CROSS, timeout=2)

        thread = threading.Thread(target=occupy)
        thread.start()
        time.sleep(0.2)
        begun = time.monotonic()
        with pytest.raises(Busy, match="All 1 query workers were taken"):
            pool.query("ASK {}", timeout=0.3)
        assert time.monotonic() - begun < 1
        thread.join()


def test_workers_end_when_their_parent_is_killed_amid_a_query(store: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from dhu_graph.settings import Settings; from dhu_graph.sparql import QueryPool\n"
        "pool = QueryPool(Path(sys.argv[1]), Settings(), {})\n"
        "print(*pool.pids, flush=True); pool.query(sys.argv[2])"
    )
    command = [sys.executable, "-c", program, str(store), CROSS]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent.stdout as out:
        pids = {int(word) for word in out.readline().split()}
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    assert pids and not _left(pids)


def test_a_pool_that_nobody_closed_ends_with_the_program(store: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from dhu_graph.settings import Settings; from dhu_graph.sparql import QueryPool\n"
        "pool = QueryPool(Path(sys.argv[1]), Settings(), {}); print(*pool.pids)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(store)], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stderr == ""
    assert not _left({int(word) for word in done.stdout.split()})


def test_a_store_that_cannot_be_opened_is_a_release_error(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="could not open the store"):
        QueryPool(tmp_path / "nowhere", Settings(), {})


def test_a_worker_imports_nothing_of_the_package() -> None:
    program = (
        "import sys; import dhu_graph.sparql.worker\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"pydantic", "pydantic_settings", "fastapi", "rdflib", "numpy"} & set(done.stdout.split())


def test_a_large_answer_comes_in_a_file_that_has_no_name(store: Path) -> None:
    query = "SELECT * { ?a <http://x/p> ?b . ?c <http://x/p> ?d } LIMIT 50000"
    with QueryPool(store, Settings(), {}) as pool:
        answer = pool.query(query, format="csv")
        assert answer.size > 1 << 20
        assert os.fstat(answer.body.fileno()).st_nlink == 0
        assert len(answer.read()) == answer.size


def test_a_graph_answer_is_abbreviated_with_the_prefixes(pool: QueryPool) -> None:
    assert b"x:1 x:p" in body(pool, "CONSTRUCT WHERE { x:1 x:p ?o }")


def test_the_graphs_of_the_request_win_and_are_all_there_is(pool: QueryPool) -> None:
    named = ["http://x/g0"]
    assert rows(pool, "SELECT (COUNT(*) AS ?n) { ?s x:p ?o }", named_graphs=named) == [{"n": "0"}]
    found = rows(pool, "SELECT DISTINCT ?g { GRAPH ?g { ?s x:p ?o } }", named_graphs=named)
    assert found == [{"g": "http://x/g0"}]
    found = rows(pool, "SELECT (COUNT(*) AS ?n) FROM x:g1 { x:1 x:p ?o }", default_graphs=named)
    assert found == [{"n": "0"}]
    assert rows(pool, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }", default_graphs=named) == [
        {"n": "0"}
    ]
    with pytest.raises(QueryRejected, match="cannot be evaluated"):
        pool.query("ASK {}", default_graphs=["not an IRI"])


def test_a_syntax_error_says_line_and_column_and_shows_the_line(pool: QueryPool) -> None:
    with pytest.raises(QueryRejected, match="line 2, column 9, in `.s .p }`"):
        pool.query("SELECT * {\n ?s ?p }")
