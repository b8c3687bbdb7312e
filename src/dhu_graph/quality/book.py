"""The book of checked links: `quality/links.sqlite` in the data folder, outside releases, for it changes by itself."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

BROKEN_AFTER = 3
"""Failed checks in a row after which a page that says nothing is broken."""
APART = timedelta(hours=20)
"""A failure sooner than this after the one before is the same failure: one bad evening breaks no page."""
_FIELDS = "url, checked, state, status, final, failures, failed, note"


@dataclass(frozen=True, slots=True)
class Seen:
    """What one check of an address saw: `ok`, `gone`, `failed`, `refused`, `robots`, `private`, or `waits` where it was not asked.

    `final` is where redirects led.
    """

    url: str
    state: str
    status: int | None = None
    final: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An address with the day of its last check (UTC) and its state: as in Seen, but `broken` or `doubtful` for failures."""

    url: str
    checked: str
    state: str
    status: int | None = None
    final: str = ""
    failures: int = 0
    failed: str = ""
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether the check says anything of the page; robots rules, refusals and private addresses say nothing."""
        return self.state in ("ok", "broken", "doubtful")


class Book:
    """What is known of addresses. A context manager."""

    def __init__(self, data: Path) -> None:
        folder = data / "quality"
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "links.sqlite", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS link (url TEXT PRIMARY KEY, checked TEXT NOT NULL, state TEXT NOT NULL,"
            " status INTEGER, final TEXT, failures INTEGER, failed TEXT, note TEXT) WITHOUT ROWID;"
        )

    def __enter__(self) -> "Book":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def of(self, urls: Iterable[str]) -> dict[str, Link]:
        """Address → what is known of it, for those that were ever checked."""
        known = {row[0]: Link(*row) for row in self._db.execute(f"SELECT {_FIELDS} FROM link")}
        return {url: known[url] for url in urls if url in known}

    def put(self, seen: Seen, now: datetime) -> Link:
        """Notes a check; a page that failed is doubtful first, and broken only after several failures on different days."""
        row = self._db.execute(f"SELECT {_FIELDS} FROM link WHERE url = ?", (seen.url,)).fetchone()
        before = Link(*row) if row else None
        checked = now.isoformat(timespec="seconds").replace("+00:00", "Z")
        state, failures, failed = seen.state, 0, ""
        if seen.state == "gone":
            state = "broken"
        elif seen.state == "failed":
            failures, failed = (before.failures, before.failed) if before else (0, "")
            if not failed or now - datetime.fromisoformat(failed) >= APART:
                failures, failed = failures + 1, checked
            state = "broken" if failures >= BROKEN_AFTER else "doubtful"
        elif before and seen.state != "ok":  # nothing was learnt: what was counted stands
            failures, failed = before.failures, before.failed
        link = Link(seen.url, checked, state, seen.status, seen.final, failures, failed, seen.note)
        self._db.execute(
            f"INSERT OR REPLACE INTO link ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            tuple(getattr(link, name) for name in _FIELDS.split(", ")),
        )
        return link
