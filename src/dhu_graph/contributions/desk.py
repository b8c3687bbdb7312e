"""The desk where contributions arrive and are decided: check → queue → accepted.jsonl → ingest → release."""

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from dhu_graph import sources
from dhu_graph.contributions import template
from dhu_graph.contributions.checks import SOURCE, Checked, check
from dhu_graph.contributions.identity import Contribution, named
from dhu_graph.contributions.queue import Entry, Placed, Queue
from dhu_graph.errors import BadInput, Busy, DhuError, UsageError
from dhu_graph.ingest import examine
from dhu_graph.ingest.functions import slug_of
from dhu_graph.ingest.state import replace
from dhu_graph.ontology import Ontology
from dhu_graph.settings import Settings

Landed = TypeVar("Landed")


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a file: the checks, and a place in the queue for each good row, in their order."""

    checked: Checked
    placed: list[Placed]

    @property
    def queued(self) -> list[Placed]:
        """Those that are new."""
        return [each for each in self.placed if not each.known]


class Desk(Generic[Landed]):
    """The contributions of a data folder. `land` ingests a file into a source and makes a release."""

    def __init__(self, settings: Settings, ontology: Ontology, land: Callable[[str, str], Landed]) -> None:
        self._settings, self._ontology, self._land = settings, ontology, land
        self.folder = settings.data / "contributions"
        self._file = self.folder / "accepted.jsonl"
        self.queue = Queue(
            self.folder / "queue.sqlite",
            most=settings.contribution_queue_max,
            most_of_one=settings.contribution_organisation_max,
        )

    def template(self, language: str = "en", format: str = "xlsx") -> bytes:
        """The template to fill in. Raises UsageError for a language or format that there is not."""
        return template.made(self._ontology, language, format)

    def check(self, path: Path, organisation: str, name: str = "") -> Checked:
        """Checks a filled-in template; keeps nothing. Raises BadInput where it cannot be used as a whole."""
        largest = self._settings.contribution_file_mb * 1_000_000
        most = self._settings.contribution_rows
        return check(
            path, name or path.name, named(organisation), self._ontology, largest=largest, most_rows=most
        )

    def receive(self, path: Path, organisation: str, name: str = "") -> Received:
        """Checks a file and queues its good rows. Raises BadInput, or Busy where the queue has no room."""
        checked, now = self.check(path, organisation, name), _now()
        rows = [Contribution.of(row.fields, organisation, now) for row in checked.good]
        return Received(checked, self.queue.put(rows) if rows else [])

    def accept(self, ids: Iterable[str], by: str = "") -> tuple[list[Entry], Landed]:
        """Lets entries into the graph and makes a release. Raises BadInput for one that breaks the rules of today."""
        chosen = _some(ids)
        self._still_good(chosen)
        return self._decided("accept", chosen, by)

    def address(self, entry: Entry) -> str:
        """The IRI of the resource that an entry becomes once it is accepted."""
        return self._ontology.iri(f"id/{entry.fields['kind']}/{slug_of([SOURCE, entry.key])}")

    def withdraw(self, ids: Iterable[str], by: str = "", reason: str = "") -> tuple[list[Entry], Landed]:
        """Takes accepted entries out of the graph again and makes a release."""
        return self._decided("withdraw", _some(ids), by, reason)

    def reject(self, ids: Iterable[str], reason: str, by: str = "") -> list[Entry]:
        """Turns entries away; they never reach the graph. The contributor is told the reason."""
        if not reason.strip():
            raise UsageError("Say why it is rejected.", "The contributor is told: --reason TEXT.")
        return self.queue.decide("reject", _some(ids), _now(), by=_role(by), reason=reason.strip()[:2_000])

    def _decided(self, action: str, ids: list[str], by: str, reason: str = "") -> tuple[list[Entry], Landed]:
        with self._alone():
            before = self.queue.last()
            entries = self.queue.decide(action, ids, _now(), by=_role(by), reason=reason.strip()[:2_000])
            try:
                self._write()
                return entries, self._land(SOURCE, str(self._file))
            except DhuError:
                # Nothing is accepted that is not in the graph: busy or broken, the decision is taken back.
                self.queue.restore(before, _now())
                self._write()
                raise

    def _write(self) -> None:
        """Writes the records of the source anew, from the queue: the same entries always make the same bytes."""
        lines = []
        for entry in self.queue.accepted():
            record = entry.contribution.record(entry.key, accepted=entry.decided)
            lines.append(json.dumps(dict(record.fields), sort_keys=True, ensure_ascii=False))
        replace(self._file, "".join(line + "\n" for line in lines))

    def _still_good(self, ids: list[str]) -> None:
        entries = [self.queue.get(id) for id in ids]
        records = [e.contribution.record(e.key, accepted=_now()) for e in entries]
        found = examine(sources.load(SOURCE), records, self._ontology)
        wrong = [
            f"{e.id}: {'; '.join(o.violations)}"
            for e, (o, _) in zip(entries, found, strict=True)
            if o.violations
        ]
        if wrong:
            raise BadInput(
                f"{'; '.join(wrong)[:2_000]}",
                "The rules have changed since it came; reject it with the reason.",
            )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One decision that makes a release at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy("Another decision is just making a release.", "Try again in a moment.") from None
            yield


def _some(ids: Iterable[str]) -> list[str]:
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise UsageError("No contribution was named.", "`dhu contribute list` shows what waits.")
    return chosen


def _role(by: str) -> str:
    """The role of who decides; an address of a person is not kept."""
    if "@" in by:
        raise UsageError("--by names a role, such as `moderator`.", "Addresses of persons are not kept.")
    return " ".join(by.split())[:100]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
