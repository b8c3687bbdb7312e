"""The path from a source to its named graph; `ingest` reads top to bottom.

fetch → records → in scope? known? → map → validate → quarantine or land → sorted graph file
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from dhu_graph import memory, quads, sources
from dhu_graph.errors import BadInput
from dhu_graph.ingest.batch import Outcome, Task, Worker, quads_of, run_all
from dhu_graph.ingest.facade import literal, slug
from dhu_graph.ingest.state import Report, State
from dhu_graph.ingest.validation import Finding
from dhu_graph.model import Record
from dhu_graph.ontology import RDF_TYPE, Ontology, rebased

__all__ = ["Finding", "Outcome", "Report", "State", "examine", "ingest", "preview"]

BATCH, BATCH_BYTES = 250, 5_000_000
"""Records mapped and validated at once, and the native bytes from which on there are fewer."""
MOST_NAMES = 1_000
"""Most unmapped fields that a report names."""
KEPT, KEPT_BYTES = 100_000, 1_000_000_000
"""Most records in a quarantine file, and the native bytes from which on only places and reasons are kept."""
_CODE = ("facade.py", "functions.py", "mapping.py", "validation.py", "batch.py")
_FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"

Progress = Callable[[int, int], None]


def ingest(
    source: sources.Source,
    location: str | None,
    data: Path,
    ontology: Ontology,
    *,
    progress: Progress | None = None,
    processes: int | None = None,
) -> Report:
    """Brings the named graph of a source up to date and returns what was done.

    Records that cannot be read, mapped or validated are in the quarantine file with their reasons and native bytes;
    the others land. Where the number of records lies outside `expect`, the previous graph stays.
    """
    memory.few_heaps()
    state = State(data / "sources" / source.name)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=_made(data / "scratch")) as scratch:
        files = sources.fetch(source, location, Path(scratch))
        fingerprint = _fingerprint(source, ontology)
        snapshot = _digest(fingerprint, *(part for file in files for part in (file.name, file.digest())))
        last = state.report()
        if last and last.snapshot == snapshot:
            last.unchanged = True
            return last
        report = Report(source.name, location or ("project" if source.shipped else "web"), snapshot, now)
        report.formats = sorted({item.format for item in source.input})
        run = _Run(source, state, ontology, report, fingerprint, now)
        with quads.Sorter(data / "scratch") as sorter, run:
            sorter.add(quads_of(_about(source, ontology), ontology.base, source.name))
            entries = sources.entries(source, files, Path(scratch))
            for outcome in run.outcomes(entries, _size(files), progress, processes):
                sorter.add(outcome.lines)
            run.finish(sorter)
    return report


def preview(
    source: sources.Source, location: str | None, data: Path, ontology: Ontology
) -> tuple[Report, list[str]]:
    """What an ingest of a small file would do and the triples it would land, without keeping anything."""
    report, lines = Report(source.name, location or "project"), set(_about(source, ontology))
    worker = Worker(_task(source, ontology))
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=_made(data / "scratch")) as scratch:
        seen: set[str] = set()
        files = sources.fetch(source, location, Path(scratch))
        for concerns, entry in sources.entries(source, files, Path(scratch)):
            reason = _refused(entry, seen) if concerns else ""
            report.read += 1
            if isinstance(entry, Record) and not reason and not concerns:
                report.out_of_scope += 1
                continue
            report.in_scope += 1
            if isinstance(entry, sources.Unreadable) or reason:
                outcome = Outcome(violations=[reason])
            else:
                # A fixed time, so that the same sample always gives the same triples.
                outcome = worker.run([(entry, "2026-01-01T00:00:00Z")])[0]
            _count(report, entry.where, outcome, ontology)
            ending = len(f" <{ontology.base}graph/{source.name}> .\n".encode())
            lines.update(line[:-ending].decode() + " ." for line in outcome.lines)
    report.quads = len(lines)
    return report, sorted(lines)


def examine(
    source: sources.Source, records: Sequence[Record], ontology: Ontology
) -> list[tuple[Outcome, list[Finding]]]:
    """What the map and the shapes make of records that are in no file yet, with every finding; keeps nothing."""
    worker = Worker(_task(source, ontology))
    found: list[tuple[Outcome, list[Finding]]] = []
    for start in range(0, len(records), BATCH):
        found += worker.examined([(each, "2026-01-01T00:00:00Z") for each in records[start : start + BATCH]])
    return found


class _Run:
    """One run: sorts entries into known, new and refused, and keeps the books."""

    def __init__(
        self,
        source: sources.Source,
        state: State,
        ontology: Ontology,
        report: Report,
        fingerprint: str,
        now: str,
    ) -> None:
        self._source, self._state, self._ontology = source, state, ontology
        self._report, self._fingerprint, self._now = report, fingerprint, now
        self._cache = state.cache()
        self._seen: set[str] = set()
        self._ready: list[Outcome] = []
        self._keys: dict[str, tuple[bytes, bytes]] = {}
        self._kept = self._kept_bytes = 0
        # What cannot be written (half a character) becomes the escape that JSON has for it.
        self._refused = state.quarantine.with_name("quarantine.part").open(
            "w", encoding="utf-8", errors="backslashreplace"
        )

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()
        self._refused.close()

    def outcomes(
        self,
        entries: Iterator[tuple[bool, Record | sources.Unreadable]],
        size: int,
        progress: Progress | None,
        processes: int | None,
    ) -> Iterator[Outcome]:
        """What became of each record: from the cache, or newly mapped and validated; `size` is that of all in bytes."""
        processes = processes or (1 if size < 2_000_000 else os.cpu_count() or 1)
        batches = self._batches(entries, progress)
        for batch, packed in run_all(_task(self._source, self._ontology), batches, processes):
            self._cache.put(
                (record.id, *self._keys.pop(record.id), retrieved, outcome)
                for (record, retrieved), outcome in zip(batch, packed, strict=True)
            )
            for (record, _), each in zip(batch, packed, strict=True):
                outcome = Outcome.unpacked(each)
                self._book(record, outcome)
                yield outcome
            yield from self._drained()
        yield from self._drained()

    def finish(self, sorter: quads.Sorter) -> None:
        """Replaces the graph, the quarantine and the report, unless the count is out of bounds."""
        report, expect = self._report, self._source.expect
        self._refused.close()
        os.replace(self._refused.name, self._state.quarantine)
        if not expect.min <= report.in_scope <= expect.max:
            report.kept_previous = (
                f"{report.in_scope} records in scope, but source.toml expects {expect.min} to {expect.max}; "
                "the previous graph was kept. Check the file, or change `expect`."
            )
            last = self._state.report()
            if last is None:
                raise BadInput(
                    f"{report.source}: {report.in_scope} records in scope, but source.toml expects "
                    f"{expect.min} to {expect.max}, and there is no previous graph to keep.",
                    "Check the file, or change `expect`.",
                )
            report.quads, report.digest, report.snapshot = last.quads, last.digest, ""
            report.formats, report.conformity = last.formats, last.conformity
        else:
            report.quads, report.digest = quads.write(self._state.graph, sorter.sorted())
            report.conformity |= {
                "records-read": report.read,
                "records-landed": report.landed,
                "records-quarantined": report.quarantined,
                "notes": report.warnings,
            }
            self._cache.forget(self._seen)
        self._state.save(report)

    def _batches(
        self, entries: Iterator[tuple[bool, Record | sources.Unreadable]], progress: Progress | None
    ) -> Iterator[list[tuple[Record, str]]]:
        batch: list[tuple[Record, str]] = []
        size = 0
        for concerns, entry in entries:
            self._report.read += 1
            if progress and self._report.read % 100 == 0:
                progress(self._report.read, 0)
            reason = _refused(entry, self._seen) if concerns else ""
            if isinstance(entry, sources.Unreadable) or reason:
                self._report.in_scope += 1
                self._book(entry, Outcome(violations=[reason]))
            elif not concerns:
                self._report.out_of_scope += 1
            elif (outcome := self._known(entry)) is not None:
                self._report.in_scope += 1
                self._report.reused += 1
                self._book(entry, outcome)
                self._ready.append(outcome)
            else:
                self._report.in_scope += 1
                native = self._keys[entry.id][1]
                batch.append((entry, self._cache.retrieved(entry.id, native, self._now)))
                size += len(entry.native)
                if len(batch) == BATCH or size > BATCH_BYTES:
                    yield batch
                    batch, size = [], 0
            if len(self._ready) >= BATCH:
                yield []
        if batch:
            yield batch

    def _known(self, record: Record) -> Outcome | None:
        native = hashlib.sha256(record.native).digest()
        key = hashlib.sha256(self._fingerprint.encode() + record.id.encode() + native).digest()
        outcome = self._cache.outcome(record.id, key)
        if outcome is None:
            self._keys[record.id] = (key, native)
        return outcome

    def _drained(self) -> Iterator[Outcome]:
        ready, self._ready = self._ready, []
        yield from ready

    def _book(self, entry: Record | sources.Unreadable, outcome: Outcome) -> None:
        _count(self._report, entry.where, outcome, self._ontology)
        if outcome.violations:
            self._kept += 1
            if self._kept > KEPT:
                return  # the report still counts it
            self._kept_bytes += len(entry.native)
            identifier = entry.id if isinstance(entry, Record) else None
            kept = entry.native if self._kept_bytes <= KEPT_BYTES else b""
            native = kept.decode("utf-8", "backslashreplace")
            row = {"id": identifier, "where": entry.where, "reasons": outcome.violations, "native": native}
            self._refused.write(json.dumps(row, ensure_ascii=False) + "\n")


def _refused(entry: Record | sources.Unreadable, seen: set[str]) -> str:
    """Why an entry cannot go on, or nothing; notes its identifier as seen."""
    if isinstance(entry, sources.Unreadable):
        return entry.reason
    if entry.id in seen:
        return f"The identifier {entry.id!r} was already used by an earlier record of this source. Give each record its own."
    seen.add(entry.id)
    return ""


def _count(report: Report, where: str, outcome: Outcome, ontology: Ontology) -> None:
    report.quarantined += bool(outcome.violations)
    report.landed += not outcome.violations
    report.warnings += len(outcome.warnings)
    for name in sorted(outcome.unmapped):
        if name in report.unmapped or len(report.unmapped) < MOST_NAMES:
            report.unmapped[name] = report.unmapped.get(name, 0) + 1
    for text, other in [
        *((v, "record") for v in outcome.violations),
        *((w, "map") for w in outcome.warnings),
    ]:
        # The words of a shape are ours; what follows them may be anybody's.
        key = f"shape:{ontology.shape_of(text.partition(' [')[0]) or other}"
        report.conformity[key] = report.conformity.get(key, 0) + 1
    words = outcome.violations[:3] or [f"note: {w}" for w in outcome.warnings[:1]]
    # A few of each sort, so that one common note does not crowd out the rare and the grave.
    sort = words[0].split(" [")[0] if words else ""
    if words and len(report.examples) < 20 and sum(sort in e for e in report.examples) < 3:
        # What a terminal would obey is not told as it is.
        text = f"{where}: {' '.join(words)}"[:2_000]
        report.examples.append("".join(c if c.isprintable() else "\ufffd" for c in text))


def _size(files: list[sources.File]) -> int:
    return sum(file.path.stat().st_size for file in files)


def _task(source: sources.Source, ontology: Ontology) -> Task:
    return Task(source.name, source.map, source.language, ontology.base, source.licence, _ignored(source))


def _ignored(source: sources.Source) -> frozenset[str]:
    """Fields that need not be mapped: those named as ignored, and those that only decide about the scope."""
    parts: list[sources.Scoped] = [source, *source.input]
    deciding = {name for part in parts for name in (*part.scope, *part.skip)}
    keys = {".".join(map(slug, name.split("."))) for name in deciding}
    return frozenset(source.ignore) | keys | ({"id"} if source.join else set())


def _about(source: sources.Source, ontology: Ontology) -> list[str]:
    """N-Triples about the source itself, from `source.toml` and, where it has one, `about.ttl`."""
    node, dct = f"<{ontology.base}id/source/{source.name}>", "http://purl.org/dc/terms/"
    lines = [
        f"{node} <{RDF_TYPE}> <{ontology.base}ns#Source> .",
        f"{node} <{dct}title> {literal(source.title)}@en .",
        f"{node} <{dct}description> {literal(source.summary)}@en .",
        f"{node} <{ontology.base}ns#publisherName> {literal(source.publisher)} .",
        f"{node} <http://xmlns.com/foaf/0.1/homepage> <{source.homepage}> .",
    ]
    if source.licence:
        lines.append(f"{node} <{dct}license> <{source.licence}> .")
    if source.rights:
        lines.append(f"{node} <{dct}rights> {literal(source.rights)}@en .")
    if source.schedule:
        lines.append(f"{node} <{dct}accrualPeriodicity> <{_FREQUENCY}{source.schedule}> .")
    about = source.folder / "about.ttl"
    if about.is_file():
        store = ox.Store()
        store.load(rebased(about, ontology.base).encode(), ox.RdfFormat.TURTLE)
        dumped = store.dump(format=ox.RdfFormat.N_TRIPLES, from_graph=ox.DefaultGraph()) or b""
        lines += [line for line in dumped.decode().split("\n") if line]
    return lines


def _fingerprint(source: sources.Source, ontology: Ontology) -> str:
    """Changes with whatever can change what a record becomes: map, `source.toml`, shapes, vocabularies, functions."""
    here = Path(__file__).parent
    code = (hashlib.sha256((here / name).read_bytes()).hexdigest() for name in _CODE)
    about = source.folder / "about.ttl"
    return _digest(
        source.fingerprint,
        ontology.fingerprint,
        rebased(about, ontology.base) if about.is_file() else "",
        *code,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
