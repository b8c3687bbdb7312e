"""The work on one batch of records, in this process or in helpers: map, stamp with provenance, validate."""

import hashlib
import json
import pickle
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

from dhu_graph import ontology as ontology_module
from dhu_graph.errors import BadInput
from dhu_graph.ingest.facade import literal
from dhu_graph.ingest.mapping import Mapping, TooMuch
from dhu_graph.ingest.validation import Finding, Validator
from dhu_graph.model import Record
from dhu_graph.ontology import RDF_TYPE

_PROV = "http://www.w3.org/ns/prov#wasDerivedFrom"
_TYPED = f" <{RDF_TYPE}> "
_DCT = "http://purl.org/dc/terms/"
_DATETIME = "http://www.w3.org/2001/XMLSchema#dateTime"


MOST_FINDINGS = 100
"""Most findings told of one record."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker must know of a source to do its batches."""

    source: str
    query: str
    language: str
    base: str
    licence: str | None
    ignored: frozenset[str]


@dataclass(slots=True)
class Outcome:
    """What became of one record: its N-Quads lines, what must quarantine it, and what is only noted."""

    lines: list[bytes] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unmapped: set[str] = field(default_factory=set)

    def packed(self) -> bytes:
        """The outcome as it is kept and sent between processes."""
        head = json.dumps([self.violations, self.warnings, sorted(self.unmapped)]).encode()
        return zlib.compress(head + b"\n" + b"".join(self.lines), 1)

    @classmethod
    def unpacked(cls, packed: bytes) -> "Outcome":
        """The outcome that was packed."""
        head, *lines = zlib.decompress(packed).splitlines(keepends=True)
        violations, warnings, unmapped = json.loads(head)
        return cls(lines, violations, warnings, set(unmapped))


class Worker:
    """Does batches of one task, one after the other."""

    def __init__(self, task: Task) -> None:
        self._ontology = ontology_module.load(task.base)
        self._mapping = Mapping(task.query, task.source, task.language, self._ontology)
        self._validator = Validator(self._ontology)
        self._task = task
        self._kinds = {f"<{iri}>" for iri in self._ontology.resource_kinds}

    def run(self, batch: Sequence[tuple[Record, str]]) -> list[Outcome]:
        """One Outcome for each (record, time it was first retrieved)."""
        return [outcome for outcome, _ in self.examined(batch)]

    def examined(self, batch: Sequence[tuple[Record, str]]) -> list[tuple[Outcome, list[Finding]]]:
        """The same with the findings of the shapes as they are, for whoever must lead them back to where they arose.

        Raises BadInput where the map is wrong. What a hostile record makes the libraries say must not cost the others:
        then each is worked on alone.
        """
        try:
            return self._examined(batch)
        except BadInput:
            raise
        except Exception as error:
            if len(batch) > 1:
                return [self.examined([one])[0] for one in batch]
            words = str(error) if isinstance(error, TooMuch) else f"{type(error).__name__}: {error}"
            return [(Outcome(violations=[f"The record cannot be worked on: {words[:500]}."]), [])]

    def _examined(self, batch: Sequence[tuple[Record, str]]) -> list[tuple[Outcome, list[Finding]]]:
        records = [record for record, _ in batch]
        mapped = self._mapping.run(records)
        outcomes = []
        for (record, retrieved), result in zip(batch, mapped, strict=True):
            outcome = Outcome(
                warnings=result.problems, unmapped=self._mapping.unmapped(record, self._task.ignored)
            )
            resources = self._resources(result.lines)
            if resources:
                result.lines.update(self._provenance(record, retrieved, resources))
            else:
                outcome.violations.append(
                    "The map made no resource of a known kind. Check that the fields it needs are there, and the kind."
                )
            outcomes.append(outcome)
        found = self._validator.run([m.lines for m in mapped])
        for outcome, result, findings in zip(outcomes, mapped, found, strict=True):
            outcome.violations += _words(findings, "Violation")
            outcome.warnings += _words(findings, "Warning")
            outcome.lines = [] if outcome.violations else self._quads(result.lines)
        return list(zip(outcomes, found, strict=True))

    def _quads(self, lines: Iterable[str]) -> list[bytes]:
        return quads_of(lines, self._task.base, self._task.source)

    def _resources(self, lines: set[str]) -> list[str]:
        """The nodes of a record that are resources of a known kind, in N-Triples."""
        # A text may hold whatever it likes: only the first two blanks of a line are surely those between its terms.
        split = (line.split(" ", 2) for line in lines if _TYPED in line)
        return sorted({s for s, p, o in split if p == _TYPED.strip() and o[:-2] in self._kinds})

    def _provenance(self, record: Record, retrieved: str, resources: list[str]) -> Iterator[str]:
        base, task = self._task.base, self._task
        slug = hashlib.sha256(record.id.encode()).hexdigest()[:16]
        node = f"<{base}id/record/{task.source}-{slug}>"
        for resource in resources:
            yield f"{resource} <{_PROV}> {node} ."
            yield f"{node} <http://xmlns.com/foaf/0.1/primaryTopic> {resource} ."
        yield f"{node}{_TYPED}<{base}ns#Record> ."
        yield f"{node} <{_DCT}identifier> {literal(record.id)} ."
        yield f"{node} <{_DCT}isPartOf> <{base}id/source/{task.source}> ."
        yield f"{node} <{base}ns#nativeDigest> {literal(hashlib.sha256(record.native).hexdigest())} ."
        yield f'{node} <{base}ns#firstRetrieved> "{retrieved}"^^<{_DATETIME}> .'
        if task.licence:
            yield f"{node} <{_DCT}license> <{task.licence}> ."


def quads_of(lines: Iterable[str], base: str, source: str) -> list[bytes]:
    """N-Triples lines (without line ends) as sorted N-Quads lines in the graph of a source."""
    graph = f"<{base}graph/{source}> .\n"
    return sorted((line[:-1] + graph).encode() for line in lines)


def run_all(
    task: Task, batches: Iterator[list[tuple[Record, str]]], processes: int
) -> Iterator[tuple[list[tuple[Record, str]], list[bytes]]]:
    """(batch, packed outcomes) for each batch, in order. With `processes` above one, helpers share the work.

    Batches are taken as helpers come free, so no more than a few are in memory at once.
    """
    if processes <= 1:
        worker = Worker(task)
        for batch in batches:
            yield batch, [outcome.packed() for outcome in worker.run(batch)]
        return
    with _Helpers(task, processes) as helpers:
        waiting: list[tuple[list[tuple[Record, str]], Future[list[bytes]]]] = []
        for batch in batches:
            waiting.append((batch, helpers.submit(batch)))
            if len(waiting) > processes * 2:
                done, future = waiting.pop(0)
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


class _Helpers:
    """Helper processes, each spoken to by one thread. Plain subprocesses: they need no `__main__` guard of the caller."""

    def __init__(self, task: Task, count: int) -> None:
        self._task = task
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="ingest")
        self._local = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "_Helpers":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._started:
            if process.stdin:
                process.stdin.close()
            process.wait()
            if process.stdout:
                process.stdout.close()

    def submit(self, batch: list[tuple[Record, str]]) -> Future[list[bytes]]:
        return self._threads.submit(self._ask, batch)

    def _ask(self, batch: list[tuple[Record, str]]) -> list[bytes]:
        process = getattr(self._local, "process", None)
        if process is None:
            command = [sys.executable, "-m", "dhu_graph.ingest.helper"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._local.process = process
            self._started.append(process)
            _send(process.stdin, self._task)
        _send(process.stdin, batch)
        answer = _receive(process.stdout)
        if isinstance(answer, BaseException):
            raise answer
        if answer is None:
            raise RuntimeError(f"An ingest helper ended with code {process.wait()}.")
        outcomes: list[bytes] = answer
        return outcomes


def serve() -> None:
    """The life of a helper: one task, then batches until its input ends."""
    task = _receive(sys.stdin.buffer)
    worker: Worker | None = None
    while (batch := _receive(sys.stdin.buffer)) is not None:
        try:
            worker = worker or Worker(task)
            _send(sys.stdout.buffer, [outcome.packed() for outcome in worker.run(batch)])
        except Exception as error:  # carried to the parent, which raises it
            _send(sys.stdout.buffer, error)


def _send(stream: IO[bytes] | None, value: object) -> None:
    assert stream is not None
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(struct.pack("<Q", len(body)) + body)
    stream.flush()


def _receive(stream: IO[bytes] | None) -> Any:
    assert stream is not None
    head = stream.read(8)
    if len(head) < 8:
        return None
    return pickle.loads(stream.read(struct.unpack("<Q", head)[0]))


def _words(findings: Sequence[Finding], severity: str) -> list[str]:
    words = [str(finding) for finding in findings if finding.severity == severity]
    more = len(words) - MOST_FINDINGS
    return [*words[:MOST_FINDINGS], f"And {more:,} more."] if more > 0 else words
