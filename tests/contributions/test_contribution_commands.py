"""`dhu contribute` as a person calls it, in a process of its own."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filled_templates import PRACTICE, to_csv, to_xlsx

from dhu_graph.ontology import Ontology


@pytest.fixture
def dhu(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs `dhu` on a data folder of the test."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dhu_graph", "--data", str(tmp_path / "data"), *arguments]
        environment = {**os.environ, "COLUMNS": "200", "DHU_EMBED": "no"}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)

    return run


def test_from_the_template_to_the_graph_and_out_again(dhu, ontology: Ontology, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    made = dhu("contribute", "--template", str(tmp_path / "t.xlsx"), "--language", "mt")
    assert (made.returncode, made.stdout) == (0, "") and (tmp_path / "t.xlsx").read_bytes()[:2] == b"PK"

    path = to_xlsx(
        ontology, tmp_path / "p.xlsx", PRACTICE, {**PRACTICE, "title": "Bad", "themes": "Telmonitoring"}
    )
    done = dhu("contribute", str(path), "--organisation", "Land Nordtal")
    assert done.returncode == 1 and "2 rows, 1 in order, 1 queued" in done.stderr
    assert done.stdout.startswith('p.xlsx, sheet Contributions, cell K6 (Theme): "Telmonitoring" is not in')

    (row,) = json.loads(dhu("contribute", "list", "--format", "json").stdout)
    assert (row["state"], row["organisation"], row["title"]) == ("waiting", "Land Nordtal", PRACTICE["title"])
    accepted = dhu("contribute", "accept", row["id"], "--by", "moderator")
    assert accepted.returncode == 0 and "Release 1" in accepted.stderr, accepted.stderr
    assert PRACTICE["title"] in dhu("export", "--graph", "contributions").stdout
    shown = dhu("contribute", "show", row["id"]).stdout
    assert "accept waiting accepted moderator" in shown and PRACTICE["description"] in shown
    assert dhu("contribute", "withdraw", row["id"], "--reason", "Asked for.").returncode == 0
    assert PRACTICE["title"] not in dhu("export", "--graph", "contributions").stdout
    assert json.loads(dhu("contribute", "list", "--format", "json").stdout) == []


def test_a_check_queues_nothing_and_tells_programs(dhu, ontology: Ontology, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = to_csv(ontology, tmp_path / "p.csv", PRACTICE, {**PRACTICE, "title": "Late", "start_year": "soon"})
    done = dhu("contribute", str(path), "-o", "Land Nordtal", "--check", "--format", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["rows"], told["good"], told["placed"]) == (1, 2, 1, [])
    assert [(f["row"], f["column"], f["cell"]) for f in told["faults"]] == [
        (6, "start_year", "line 6, column R")
    ]
    assert json.loads(dhu("contribute", "list", "--state", "all", "--format", "json").stdout) == []


def test_a_list_for_spreadsheets_holds_no_formula(dhu, ontology: Ontology, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    title = '=HYPERLINK("https://bad.example.org")'
    path = to_csv(ontology, tmp_path / "p.csv", {**PRACTICE, "title": title})
    assert dhu("contribute", str(path), "-o", "@Body".replace("@", "+")).returncode == 0
    (row,) = csv.DictReader(io.StringIO(dhu("contribute", "list", "--format", "csv").stdout))
    assert row["title"] == "'" + title and row["organisation"] == "'+Body"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["no-such-file.csv", "-o", "Body"], 3, "There is no file"),
        (["p.csv"], 2, "who sends this"),
        (["--template", "t.ods"], 2, "neither in .xlsx nor in .csv"),
        (["--template", "t.csv", "-l", "xx"], 2, "no template in the language"),
        (["accept", "nobody"], 2, "no contribution 'nobody'"),
        (["reject", "nobody"], 2, "Say why"),
        (["show", "nobody"], 2, "no contribution 'nobody'"),
        (["list", "--state", "lost"], 2, "no state 'lost'"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(dhu, arguments: list[str], code: int, words: str) -> None:  # type: ignore[no-untyped-def]
    done = dhu("contribute", *arguments)
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr


def test_help_names_every_command(dhu) -> None:  # type: ignore[no-untyped-def]
    shown = dhu("contribute", "--help").stdout
    assert all(name in shown for name in ("send", "list", "show", "accept", "reject", "withdraw"))
