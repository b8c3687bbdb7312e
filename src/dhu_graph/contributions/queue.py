"""The moderation queue: what was sent in, what was decided about it, and the log of all decisions, in one SQLite file."""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhu_graph.contributions.identity import Contribution
from dhu_graph.errors import Busy, UnknownName, UsageError

STATES = ("waiting", "accepted", "rejected", "superseded", "withdrawn")
_MEANT = {"accept": "accepted", "reject": "rejected", "withdraw": "withdrawn"}
_FROM = {
    # What may be decided about an entry in which state; every decision can be taken back by another.
    "accept": ("waiting", "rejected", "superseded", "withdrawn"),
    "reject": ("waiting",),
    "withdraw": ("accepted",),
}
_TABLES = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=10000;
CREATE TABLE IF NOT EXISTS contribution (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT NOT NULL, digest TEXT NOT NULL,
  organisation TEXT NOT NULL, body TEXT NOT NULL, own TEXT NOT NULL, name TEXT NOT NULL, received TEXT NOT NULL,
  fields TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', decided TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS by_digest ON contribution (digest);
CREATE INDEX IF NOT EXISTS by_body ON contribution (body, state);
CREATE INDEX IF NOT EXISTS by_key ON contribution (key, state);
CREATE TABLE IF NOT EXISTS decision (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL,
  before TEXT NOT NULL, after TEXT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One contribution in the queue. `key` is what its record goes by in the graph; times are UTC."""

    id: str
    key: str
    organisation: str
    received: str
    fields: dict[str, Any]
    state: str
    reason: str
    decided: str

    @property
    def contribution(self) -> Contribution:
        """What was sent in."""
        return Contribution(self.fields, self.organisation, self.received)


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of one row that was sent in: its id, and whether the same content was known under it already."""

    id: str
    known: str = ""
    """The state of the earlier entry with the same content, or nothing."""


class Queue:
    """The queue of a data folder. Several processes may use it at once."""

    def __init__(self, path: Path, *, most: int, most_of_one: int) -> None:
        self._path, self._most, self._most_of_one = path, most, most_of_one

    def put(self, contributions: Iterable[Contribution]) -> list[Placed]:
        """Queues all that is new, or nothing. Raises Busy where there is no room for all of it."""
        with self._writing() as db:
            placed = [self._put(db, each) for each in contributions]
            if not all(each.known for each in placed):
                self._room(db)
        return placed

    def get(self, id: str) -> Entry:
        """One entry. Raises UnknownName."""
        with self._open() as db:
            return self._get(db, id)

    def entries(self, state: str = "", limit: int = 1_000, offset: int = 0) -> list[Entry]:
        """Entries in the order in which they came, all or those in one state. Raises UsageError."""
        if state == "all":
            state = ""
        if state and state not in STATES:
            raise UsageError(f"There is no state {state[:40]!r}.", f"States: {', '.join((*STATES, 'all'))}.")
        with self._open() as db:
            found = db.execute(
                "SELECT * FROM contribution WHERE ? IN ('', state) ORDER BY number LIMIT ? OFFSET ?",
                (state, limit, offset),
            )
            return [_entry(row) for row in found]

    def accepted(self) -> list[Entry]:
        """All that is accepted, by key: the records of the source."""
        with self._open() as db:
            return [
                _entry(row)
                for row in db.execute(
                    "SELECT * FROM contribution WHERE state = 'accepted' ORDER BY key, number"
                )
            ]

    def decide(
        self, action: str, ids: Iterable[str], now: str, *, by: str = "", reason: str = ""
    ) -> list[Entry]:
        """Decides about entries, all or none; a version that is accepted supersedes the one before it.

        Raises UnknownName for no such entry, UsageError where the decision does not fit its state.
        """
        with self._writing() as db:
            for id in dict.fromkeys(ids):
                entry = self._get(db, id)
                if entry.state not in _FROM[action]:
                    raise UsageError(
                        f"{id} is {entry.state}, so it cannot be {_MEANT[action]}.",
                        f"What can be: {', '.join(_FROM[action])}.",
                    )
                if action == "accept":
                    earlier = "SELECT id FROM contribution WHERE key = ? AND state = 'accepted'"
                    for (older,) in db.execute(earlier, (entry.key,)).fetchall():
                        self._turn(db, older, "superseded", "supersede", now, by, f"by {id}")
                self._turn(db, id, _MEANT[action], action, now, by, reason)
            return [self._get(db, id) for id in dict.fromkeys(ids)]

    def restore(self, last: int, now: str) -> None:
        """Takes back all decisions after one, because what should have followed failed; the log keeps both."""
        with self._writing() as db:
            later = "SELECT id, before, after FROM decision WHERE number > ? ORDER BY number DESC"
            for id, before, _ in db.execute(later, (last,)).fetchall():
                self._turn(db, id, before, "undo", now, "", "the release could not be made")

    def last(self) -> int:
        """The number of the last decision, 0 before the first."""
        with self._open() as db:
            return int(db.execute("SELECT COALESCE(MAX(number), 0) FROM decision").fetchone()[0])

    def log(self, id: str = "") -> list[dict[str, str]]:
        """The decisions, all or those about one entry, oldest first."""
        with self._open() as db:
            columns = ("id", "at", "action", "before", "after", "by", "reason")
            found = db.execute(
                f"SELECT {', '.join(columns)} FROM decision WHERE ? IN ('', id) ORDER BY number", (id,)
            )
            return [dict(zip(columns, row, strict=True)) for row in found]

    def _put(self, db: sqlite3.Connection, each: Contribution) -> Placed:
        known = db.execute(
            "SELECT id, state FROM contribution WHERE digest = ? AND state IN ('waiting', 'accepted', 'rejected')"
            " ORDER BY number DESC LIMIT 1",
            (each.digest,),
        ).fetchone()
        if known:
            return Placed(*known)
        # A later version has the key of the earlier one: by the contributor's identifier, or by the title where one has none.
        earlier = db.execute(
            "SELECT key FROM contribution WHERE body = ? AND ((own != '' AND own = ?) OR ((own = '' OR ? = '') AND name = ?))"
            " ORDER BY number DESC LIMIT 1",
            (each.body, each.own, each.own, each.name),
        ).fetchone()
        id = secrets.token_hex(10)
        fields = json.dumps(each.fields, sort_keys=True, ensure_ascii=False)
        key = earlier[0] if earlier else each.key
        db.execute(
            "INSERT INTO contribution (id, key, digest, organisation, body, own, name, received, fields, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
            (id, key, each.digest, each.organisation, each.body, each.own, each.name, each.received, fields),
        )
        return Placed(id)

    def _room(self, db: sqlite3.Connection) -> None:
        (waiting,) = db.execute("SELECT COUNT(*) FROM contribution WHERE state = 'waiting'").fetchone()
        if waiting > self._most:
            raise Busy(
                f"The queue is full: at most {self._most:,} contributions may wait for a moderator.",
                "Nothing was taken. Send it again when some have been decided.",
            )
        (most,) = db.execute(
            "SELECT COALESCE(MAX(n), 0) FROM (SELECT COUNT(*) AS n FROM contribution WHERE state = 'waiting' GROUP BY body)"
        ).fetchone()
        if most > self._most_of_one:
            raise Busy(
                f"At most {self._most_of_one:,} contributions of one organisation may wait for a moderator.",
                "Nothing was taken. Send fewer, or send it again when some have been decided.",
            )

    def _turn(
        self, db: sqlite3.Connection, id: str, state: str, action: str, now: str, by: str, reason: str
    ) -> None:
        before = self._get(db, id).state
        db.execute(
            "UPDATE contribution SET state = ?, reason = ?, decided = ? WHERE id = ?",
            (state, reason, now, id),
        )
        db.execute(
            "INSERT INTO decision (id, at, action, before, after, by, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id, now, action, before, state, by, reason),
        )

    def _get(self, db: sqlite3.Connection, id: str) -> Entry:
        row = db.execute("SELECT * FROM contribution WHERE id = ?", (id,)).fetchone()
        if row is None:
            raise UnknownName(
                f"There is no contribution {id[:80]!r}.", "`dhu contribute list` shows what there is."
            )
        return _entry(row)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        try:
            db.row_factory = sqlite3.Row
            db.executescript(_TABLES)
            yield db
        except sqlite3.OperationalError as error:
            raise Busy(f"The queue cannot be used now: {error}.", "Try again in a moment.") from None
        finally:
            db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["id"],
        row["key"],
        row["organisation"],
        row["received"],
        json.loads(row["fields"]),
        row["state"],
        row["reason"],
        row["decided"],
    )
