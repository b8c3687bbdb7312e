"""What was computed of a pair before: a score is a function of its two mentions, so it need not be computed twice."""

import json
import sqlite3
from pathlib import Path
from types import TracebackType

from dhu_graph.link.mentions import Mention
from dhu_graph.link.pairs import DOUBTFUL, Judged


class Memo:
    """Scores by the digests of two mentions, in `links/memo.sqlite`; forgotten when the code or the model changes."""

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._version = folder / "memo.sqlite", version
        self._old: dict[bytes, str | None] = {}
        self._new: dict[bytes, str | None] = {}
        self._used: set[bytes] = set()

    def __enter__(self) -> "Memo":
        try:
            self._old = self._read()
        except sqlite3.DatabaseError:  # whatever is wrong with it costs time, never the job
            self._path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and (self._new or len(self._used) < len(self._old) * 0.7):
            self._write()

    def get(self, a: Mention, b: Mention) -> Judged | None:
        """What was found of this pair, or None where it was never compared."""
        key = self._key(a, b)
        if key not in self._old:
            return None
        self._used.add(key)
        return self._judged(a, b, self._old[key])

    def put(self, a: Mention, b: Mention, judged: Judged) -> Judged:
        """Notes what was found; of a pair that differs, only that."""
        kept = json.dumps([judged.score, judged.reasons]) if judged.score >= DOUBTFUL else None
        self._new[self._key(a, b)] = kept
        return judged

    @staticmethod
    def _key(a: Mention, b: Mention) -> bytes:
        one, two = a.digest, b.digest
        return one + two if a.iri <= b.iri else two + one

    @staticmethod
    def _judged(a: Mention, b: Mention, kept: str | None) -> Judged:
        left, right = sorted((a.iri, b.iri))
        if kept is None:
            return Judged(left, right, -9.0, ())
        score, reasons = json.loads(kept)
        return Judged(left, right, score, tuple((what, weight) for what, weight in reasons))

    def _read(self) -> dict[bytes, str | None]:
        if not self._path.is_file():
            return {}
        with sqlite3.connect(self._path) as file:
            row = file.execute("SELECT version FROM about").fetchone()
            if row is None or row[0] != self._version:
                return {}
            return dict(file.execute("SELECT pair, found FROM memo"))

    def _write(self) -> None:
        kept = {key: found for key, found in self._old.items() if key in self._used} | self._new
        self._path.unlink(missing_ok=True)
        with sqlite3.connect(self._path) as file:
            file.execute("CREATE TABLE about (version TEXT)")
            file.execute("CREATE TABLE memo (pair BLOB PRIMARY KEY, found TEXT) WITHOUT ROWID")
            file.execute("INSERT INTO about VALUES (?)", (self._version,))
            file.executemany("INSERT INTO memo VALUES (?, ?)", kept.items())
