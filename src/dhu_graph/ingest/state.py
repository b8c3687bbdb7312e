"""What is kept of a source between runs: its graph, its report, its quarantine, and a cache of what each record became.

The graph file, quarantine and report are replaced whole. The cache only saves work: it may be deleted at any time.
"""

import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dhu_graph.ingest.batch import Outcome


@dataclass(slots=True)
class Report:
    """What one run did with a source. Counts are of records."""

    source: str
    location: str
    snapshot: str = ""
    retrieved: str = ""
    read: int = 0
    in_scope: int = 0
    out_of_scope: int = 0
    landed: int = 0
    reused: int = 0
    quarantined: int = 0
    warnings: int = 0
    quads: int = 0
    digest: str = ""
    kept_previous: str = ""
    unchanged: bool = False
    unmapped: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    conformity: dict[str, int] = field(default_factory=dict)
    """Counts of the run that the graph comes from, for the quality report: `records-read`, …, `shape:leadGiven`."""

    @property
    def findings(self) -> bool:
        """Whether a person should look: something was quarantined, or the previous graph was kept."""
        return bool(self.quarantined or self.kept_previous)


class State:
    """The folder `sources/<name>` of the data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.graph = folder / "graph.nq.gz"
        self.quarantine = folder / "quarantine.jsonl"
        self._report = folder / "report.json"
        self._cache = folder / "cache.sqlite"

    def report(self) -> Report | None:
        """The report of the last run that ended, if its graph is there."""
        try:
            values = json.loads(self._report.read_text(encoding="utf-8"))
            return Report(**values) if self.graph.is_file() else None
        except (OSError, ValueError, TypeError):
            return None

    def save(self, report: Report) -> None:
        """Keeps a report, whole or not at all."""
        replace(self._report, json.dumps(asdict(report), ensure_ascii=False, indent=1))

    def cache(self) -> "Cache":
        """The cache, opened; a damaged one is set aside and begun anew."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            return Cache(self._cache)
        except sqlite3.DatabaseError:
            os.replace(self._cache, self._cache.with_suffix(".damaged"))
            for left in ("-wal", "-shm"):
                self._cache.with_name(self._cache.name + left).unlink(missing_ok=True)
            return Cache(self._cache)


class Cache:
    """For each record: under which key it was mapped last, since when its content is known, and what became of it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, key BLOB, native BLOB, retrieved TEXT, outcome BLOB)"
            " WITHOUT ROWID;"
        )
        self._known: dict[str, tuple[bytes, bytes, str]] = {
            row[0]: row[1:] for row in self._db.execute("SELECT id, key, native, retrieved FROM record")
        }

    def retrieved(self, identifier: str, native: bytes, now: str) -> str:
        """Since when this content of the record is known; `now` for new content."""
        known = self._known.get(identifier)
        return known[2] if known and known[1] == native else now

    def outcome(self, identifier: str, key: bytes) -> Outcome | None:
        """What the record became, if it was mapped under the same key and can still be read."""
        known = self._known.get(identifier)
        if not known or known[0] != key:
            return None
        try:
            row = self._db.execute("SELECT outcome FROM record WHERE id = ?", (identifier,)).fetchone()
            return Outcome.unpacked(row[0])
        except Exception:  # whatever a damaged page gives: the record is done again
            return None

    def put(self, rows: Iterable[tuple[str, bytes, bytes, str, bytes]]) -> None:
        """Keeps (id, key, digest of the native bytes, retrieved, packed outcome) of several records at once."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def forget(self, seen: set[str]) -> None:
        """Drops the records that were not seen."""
        gone = [(identifier,) for identifier in self._known.keys() - seen]
        self._db.execute("BEGIN")
        self._db.executemany("DELETE FROM record WHERE id = ?", gone)
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()


def replace(path: Path, text: str) -> None:
    """Writes a small file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)
