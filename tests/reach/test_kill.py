"""kill -9 at 20 random moments of a build: the last release serves each time, and the next run completes."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from dhu_graph import Engine

FIRST, SECOND = "One line to begin with.", "Another line, so that the graph changes."
MOMENTS = 20


def catalogue(folder: Path, word: str, records: int) -> None:
    """A source folder like the starter's, with records that say `word`."""
    folder.mkdir(exist_ok=True)
    root = Path(__file__).resolve().parents[2] / "ingest/starter"
    (folder / "map.rq").write_text((root / "map.rq").read_text())
    toml = (
        (root / "source.toml")
        .read_text()
        .replace("min = 400", "min = 1")
        .replace('shipped = "catalogue"', "")
    )
    (folder / "source.toml").write_text(toml)
    lines = (
        f'{{"id": "r{n}", "kind": "practice", "title": "Practice {n}", "description": "{word} This is record number {n}.", '
        f'"countries": ["GR"], "scope": "national", "needs": [{{"text": "Need {n}", "side": "demand"}}]}}\n'
        for n in range(records)
    )
    (folder / "all.jsonl").write_text("".join(lines))


def command(tmp_path: Path) -> list[str]:
    source = str(tmp_path / "source")
    return [
        sys.executable, "-m", "dhu_graph", "--data", str(tmp_path / "data"),
        "ingest", "killed", "--folder", source, "--from", source, "--no-embed",
    ]  # fmt: skip


def served(data: Path) -> tuple[int, int, set[str]]:
    """The current release, opened and verified: its number, its practices, and the first word of their descriptions."""
    with Engine.open(data=data, embed=False) as radar:
        rows = radar.query("SELECT ?s ?d { ?s a dhu:GoodPractice ; dct:description ?d }")
        assert isinstance(rows, list)
        assert len(radar.search("record", limit=5)) == 5
        return radar.shelf.get().number, len(rows), {row["d"].split(".")[0] for row in rows}


def test_a_killed_build_loses_and_doubles_nothing(tmp_path: Path) -> None:
    records = 600
    catalogue(tmp_path / "source", FIRST, records)
    begun = time.monotonic()
    subprocess.run(command(tmp_path), check=True, capture_output=True)
    whole = time.monotonic() - begun
    moments = random.Random(2026)
    killed = 0
    word, number = FIRST, 1
    for turn in range(MOMENTS):
        following = SECOND if word == FIRST else FIRST
        catalogue(tmp_path / "source", following, records)
        process = subprocess.Popen(command(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.05, whole * 0.95))
        process.send_signal(signal.SIGKILL)
        ended = process.wait()
        killed += ended == -signal.SIGKILL
        current, found, words = served(tmp_path / "data")
        # Either the old world or, where the kill came too late, the new one; never a mixture, never a part.
        assert found == records and len(words) == 1, turn
        assert words == {(word if current == number else following).split(".")[0]}, turn
        done = subprocess.run(command(tmp_path), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        after, found, words = served(tmp_path / "data")
        assert (found, words) == (records, {following.split(".")[0]}), turn
        assert after == number + 1, "a run makes one release, not two"
        assert not list((tmp_path / "data/releases").glob("*.part"))
        word, number = following, after
    assert killed >= MOMENTS // 2, f"only {killed} of {MOMENTS} kills hit a build that was running"
