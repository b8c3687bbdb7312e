"""Queries in processes that can be killed: `QueryPool.query` gives an Answer or one clear error, always in time.

text → guard.check → formats.negotiate → a free worker → Answer
                                          └ too slow, too large, dead: killed, replaced, and the error says which
"""

import os
import queue
import threading
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from dhu_graph.errors import Busy, QueryRejected, QueryTooLarge, ReleaseError
from dhu_graph.settings import Settings
from dhu_graph.sparql import formats, guard
from dhu_graph.sparql.process import Worker, timed_out

_BLOCK = 256 * 1024


@dataclass(slots=True)
class Answer:
    """The serialised answer to a query: `size` bytes of `media_type`, block by block. Close it, or use it in a `with`.

    `body` is in memory below 1 MB and otherwise a temporary file that has no name any more and ends when closed.
    """

    media_type: str
    form: guard.Form
    size: int
    body: IO[bytes]

    def __iter__(self) -> Iterator[bytes]:
        while block := self.body.read(_BLOCK):
            yield block

    def read(self) -> bytes:
        """All of it; closes the body."""
        with self.body:
            return self.body.read()

    def close(self) -> None:
        """Lets go of the body, read or not."""
        self.body.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Slot:
    """A place for one worker. The one thread that took the slot from the queue of free ones may touch it."""

    worker: Worker | None = None

    def start(self, store: Path, memory_mb: int) -> Worker:
        worker = self.worker = Worker(store, memory_mb)
        try:
            worker.wait_ready()
        except BaseException:
            self.clear()
            raise
        return worker

    def clear(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.kill()


class QueryPool:
    """`settings.sparql_workers` processes over one store, shared by any number of threads.

    The store's folder must not change while the pool is open. `prefixes` (name → IRI) need no PREFIX line in queries
    and shorten Turtle, JSON-LD and RDF/XML answers. Raises ReleaseError when the store cannot be opened.
    """

    def __init__(
        self, store_path: Path, settings: Settings, prefixes: Mapping[str, str] | None = None
    ) -> None:
        self._store = store_path
        self._settings = settings
        self._prefixes = dict(prefixes or {})
        self._owner = os.getpid()
        self._closing = threading.Event()
        self._slots = [_Slot() for _ in range(settings.sparql_workers)]
        self._free: queue.LifoQueue[_Slot] = queue.LifoQueue()
        self._menders: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._finalizer = weakref.finalize(self, _clear_all, self._slots, self._owner)
        try:
            self._start_all()
        except BaseException:
            self._finalizer()
            raise

    def _start_all(self) -> None:
        for slot in self._slots:
            slot.worker = Worker(self._store, self._settings.sparql_memory_mb)
        for slot in self._slots:
            assert slot.worker is not None
            slot.worker.wait_ready()
            self._free.put(slot)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run now."""
        return [worker.pid for slot in self._slots if (worker := slot.worker) is not None]

    def query(
        self,
        text: str,
        *,
        accept: str | None = None,
        format: str | None = None,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Runs one query and gives its whole answer, in the format of `negotiate(form, accept, format)`.

        Without `default_graphs` and `named_graphs` (IRIs; the protocol's default-graph-uri and named-graph-uri) the
        default graph is the union of all graphs, unless the query says FROM; given, they win over FROM (SPARQL 1.1
        Protocol, 2.1.4). `timeout` in seconds replaces the settings' (so it is not for remote clients to say); waiting
        for a free worker may take as long again. An error is raised before the first byte, never in the middle.

        Raises QueryRejected, QueryTimeout, QueryTooLarge, Busy, NotAcceptable, or ReleaseError if the store is gone.
        """
        checked = guard.check(text, self._settings, self._prefixes)
        choice = formats.negotiate(checked.form, accept, format)
        given = bool(default_graphs or named_graphs)
        request = {
            "query": checked.text,
            "serializer": choice.serializer,
            "limit": self._settings.sparql_result_mb << 20,
            "union": not checked.dataset,
            "default_graphs": list(default_graphs or ()) if given else None,
            "named_graphs": list(named_graphs or ()),
            "prefixes": self._prefixes,
        }
        seconds = self._settings.sparql_timeout if timeout is None else timeout
        header, body = self._ask(request, seconds)
        if body is None:
            raise _refusal(header, checked.text, self._settings)
        return Answer(choice.media_type, checked.form, header["size"], body)

    def _ask(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], IO[bytes] | None]:
        slot = self._take(seconds)
        sound = False
        try:
            worker, deadline = slot.worker, time.monotonic() + seconds
            try:
                taken = worker is not None and worker.alive and worker.send(request, deadline)
                if worker is None or not taken:
                    # Killed from outside while it was idle, or never replaced: start one for this query.
                    worker = self._start(slot)
                    deadline = time.monotonic() + seconds
                    if not worker.send(request, deadline):
                        raise worker.death()
                header, body = worker.receive(deadline)
            except TimeoutError:
                raise timed_out(seconds) from None
            except (EOFError, OSError):
                if self._closing.is_set() or worker is None:
                    raise Busy("The query was stopped: the service is closing.", "Try again later.") from None
                raise worker.death() from None
            sound = header["status"] not in ("memory", "panic")
            return header, body
        finally:
            if sound:
                self._free.put(slot)
            else:
                self._mend(slot)

    def _start(self, slot: _Slot) -> Worker:
        slot.clear()
        try:
            return slot.start(self._store, self._settings.sparql_memory_mb)
        except OSError as error:
            raise Busy(f"A query worker could not be started: {error}.", "Try again later.") from None

    def _take(self, seconds: float) -> _Slot:
        if os.getpid() != self._owner:
            raise Busy("This pool belongs to the process that made it.", "Open one after the fork.")
        if not self._closing.is_set():
            try:
                slot = self._free.get(timeout=seconds)
            except queue.Empty:
                raise Busy(
                    f"All {len(self._slots)} query workers were taken for {seconds:g} s.",
                    "Try again in a moment.",
                ) from None
            if not self._closing.is_set():
                return slot
            self._free.put(slot)
        raise Busy("The query workers are closing.", "Try again later.")

    def _mend(self, slot: _Slot) -> None:
        """Replaces the worker of a slot in the background, and only then offers it again."""

        def mend() -> None:
            try:
                slot.clear()
                if not self._closing.is_set():
                    self._start(slot)
            except (ReleaseError, Busy):
                pass  # the query that takes the empty slot tries again, and tells
            finally:
                self._free.put(slot)
                with self._lock:
                    self._menders.discard(threading.current_thread())

        thread = threading.Thread(target=mend, name="dhu-query-worker", daemon=True)
        with self._lock:
            self._menders.add(thread)
        thread.start()

    def close(self, wait: float = 5.0) -> None:
        """Lets running queries end for at most `wait` seconds, then ends every worker; may be called twice."""
        if os.getpid() != self._owner or not self._finalizer.alive:
            return
        self._closing.set()
        deadline = time.monotonic() + wait
        idle: list[_Slot] = []
        while len(idle) < len(self._slots):
            try:
                idle.append(self._free.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                break
        for slot in self._slots:
            worker = slot.worker
            if slot in idle and worker is not None:
                worker.stop(1.0)
                slot.worker = None
            elif worker is not None:
                # Its query is told by the closed socket, and then clears the slot itself.
                worker.interrupt()
        for _ in range(len(self._slots) - len(idle)):
            try:
                idle.append(self._free.get(timeout=5.0))
            except queue.Empty:
                break
        with self._lock:
            menders = list(self._menders)
        for thread in menders:
            thread.join(5.0)
        self._finalizer()
        for slot in idle:
            self._free.put(slot)  # whoever still waits for a worker is told that there is none

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _clear_all(slots: list[_Slot], owner: int) -> None:
    """What is left of the workers when the pool is forgotten or the program ends; not in a forked child."""
    if os.getpid() == owner:
        for slot in slots:
            slot.clear()


def _refusal(header: Mapping[str, Any], text: str, settings: Settings) -> QueryRejected:
    """The error that a worker's status stands for."""
    status, detail = header["status"], str(header["detail"])
    if status == "syntax":
        return guard.syntax_error(detail, text)
    if status == "size":
        return QueryTooLarge(
            f"The answer is larger than {settings.sparql_result_mb} MB.",
            "Add a LIMIT, or ask for fewer columns.",
        )
    if status == "memory":
        return QueryTooLarge(
            "The query ran out of memory and was stopped.", "Narrow it, or add a LIMIT inside."
        )
    if status == "disk":
        return QueryTooLarge(f"The answer found no room on the disk: {detail}.", "Free some, or add a LIMIT.")
    if status == "panic":
        return QueryRejected(f"The query crashed its worker: {detail}.", "Simplify it; and please report it.")
    return QueryRejected(
        f"The query cannot be evaluated: {detail}.", "Check its functions, IRIs and graph names."
    )
