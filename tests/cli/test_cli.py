"""The command `dhu`, as a person or a script calls it: in a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small radar, searched by words alone."""
    folder = tmp_path_factory.mktemp("cli")
    done = dhu(folder, "ingest", "starter", "--no-embed")
    assert done.returncode == 0, done.stderr
    return folder


def dhu(data: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs `dhu` and returns what it printed and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "dhu_graph", "--data", str(data), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "COLUMNS": "160"},
    )


def test_help_is_there_in_less_than_four_tenths_of_a_second() -> None:
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "dhu_graph", "--help"], capture_output=True, text=True)
        taken.append(time.perf_counter() - begun)
        assert done.returncode == 0
    assert min(taken) < 0.4, taken
    for command in (
        "ingest",
        "build",
        "validate",
        "sources",
        "search",
        "show",
        "similar",
        "query",
        "export",
        "releases",
        "serve",
        "eval",
        "doctor",
    ):
        assert command in done.stdout


def test_search_gives_rows_on_stdout_and_nothing_else(home: Path) -> None:
    done = dhu(home, "search", "telemonitoring of diabetes", "--limit", "3", "--format", "json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(rows) == 3
    assert all(row["iri"].startswith("https://w3id.org/dhu/id/") for row in rows)


@pytest.mark.parametrize(("format", "separator"), [("csv", ","), ("tsv", "\t")])
def test_rows_come_as_separated_values(home: Path, format: str, separator: str) -> None:
    done = dhu(home, "query", "coverage-by-country", "--format", format)
    assert done.stdout.splitlines()[0].split(separator) == ["country", "name", "resources"]


def test_filters_take_names_and_codes(home: Path) -> None:
    by_name = dhu(home, "search", "health records", "--country", "Greece", "--format", "json").stdout
    by_code = dhu(home, "search", "health records", "--country", "GRC", "--format", "json").stdout
    assert json.loads(by_name) == json.loads(by_code) != []
    assert all("GRC" in row["country"] for row in json.loads(by_name))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("search", "x", "--country", "Atlantis"), 2, "Atlantis"),
        (("search", "   "), 2, ""),
        (("ingest", "nowhere"), 2, "Known sources"),
        (("query", "no-such-query"), 2, "coverage-by-country"),
        (("query", "practices-by-country-and-theme", "country=Greece"), 2, "needs theme"),
        (("query", "SELECT * WHERE {"), 3, ""),
        (("query", "missing.rq"), 3, "cannot be read"),
        (("show", "practice/no-such-thing"), 2, "no resource"),
        (("ingest", "jrc-ips", "--from", "no/such/file.csv"), 3, "neither a file nor a folder"),
        (("ingest", "jrc-ips", "--from", "http://127.0.0.1:9/cases.csv"), 4, "could not be fetched"),
        (("releases", "verify", "99"), 2, "no release 99"),
        (("releases", "rollback"), 2, "before the current"),
    ],
)
def test_errors_are_words_with_an_exit_code(
    home: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = dhu(home, *arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.strip()


def test_nothing_built_says_what_to_do(tmp_path: Path) -> None:
    done = dhu(tmp_path / "empty", "search", "anything")
    assert done.returncode == 3
    assert "dhu build" in done.stderr


def test_a_query_comes_from_stdin_and_a_file(home: Path, tmp_path: Path) -> None:
    text = "SELECT (COUNT(*) AS ?n) WHERE { ?s a dhu:Policy }"
    (tmp_path / "q.rq").write_text(text)
    piped = dhu(home, "query", "-", "--format", "json", stdin=text)
    filed = dhu(home, "query", str(tmp_path / "q.rq"), "--format", "json")
    assert json.loads(piped.stdout) == json.loads(filed.stdout) == [{"n": 39}]


def test_show_gives_turtle_that_parses(home: Path) -> None:
    import rdflib

    done = dhu(home, "show", "practice/starter-at-diabcare-tirol", "--format", "ttl")
    graph = rdflib.Graph().parse(data=done.stdout, format="turtle")
    assert len(graph) > 10


def test_export_is_the_sorted_graph(home: Path) -> None:
    done = dhu(home, "export", "--graph", "starter")
    lines = done.stdout.encode().split(b"\n")[:-1]
    assert lines == sorted(set(lines))
    assert len(lines) > 40_000


def test_a_second_ingest_makes_no_release(home: Path) -> None:
    done = dhu(home, "ingest", "starter", "--no-embed")
    assert done.returncode == 0
    assert "no new release" in done.stderr
    assert len(json.loads(dhu(home, "releases", "list", "--format", "json").stdout)) == 1


def test_doctor_finds_nothing_wrong(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dhu_graph", "--data", str(home), "doctor"],
        capture_output=True,
        text=True,
        env={**os.environ, "DHU_EMBED": "false"},
    )
    assert done.returncode == 0, done.stderr
    assert "FAIL" not in done.stderr


def test_validate_keeps_nothing(tmp_path: Path) -> None:
    done = dhu(tmp_path / "v", "validate", "indicators", "--format", "ttl")
    assert done.returncode == 0, done.stderr
    assert "IndicatorObservation" in done.stdout
    assert not (tmp_path / "v" / "releases").exists()
