"""Query workers that can be killed: a query that takes too long or too much ends its worker, and another takes its place."""

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from dhu_graph.errors import Busy, QueryRejected, QueryTimeout, QueryTooLarge
from dhu_graph.settings import Settings
from dhu_graph.sparql.formats import negotiate
from dhu_graph.sparql.guard import check
from dhu_graph.sparql.wire import receive_head, send

_BLOCK = 256 * 1024
_IN_MEMORY = 1_000_000


class Answer:
    """A serialised answer: its media type, its size, and its bytes block by block. Close it, or use it in a `with`."""

    def __init__(self, media_type: str, size: int, body: IO[bytes]) -> None:
        self.media_type, self.size, self._body = media_type, size, body

    def __iter__(self) -> Iterator[bytes]:
        while block := self._body.read(_BLOCK):
            yield block

    def __enter__(self) -> "Answer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file behind a large answer."""
        self._body.close()


class _Worker:
    """One worker process and the pipe to it."""

    def __init__(self, store: Path, memory_mb: int) -> None:
        command = [sys.executable, "-m", "dhu_graph.sparql.worker", str(store), str(memory_mb)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self.process.stdin and self.process.stdout
        self.stdin: IO[bytes] = self.process.stdin
        self.stdout: IO[bytes] = self.process.stdout
        self.killed = False

    def ready(self) -> bool:
        """Waits until it has opened the store; False where it could not."""
        return receive_head(self.stdout) is not None

    def kill(self) -> None:
        """Ends it at once, by its process id."""
        self.killed = True
        self.process.kill()

    def end(self) -> None:
        """Ends it and leaves nothing behind: no zombie, no open pipe."""
        self.process.kill()
        self.process.wait()
        for stream in (self.stdin, self.stdout):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class QueryPool:
    """Evaluates queries over one store, several at a time. Thread-safe."""

    def __init__(self, store: Path, settings: Settings, prefixes: Mapping[str, str]) -> None:
        self._store, self._settings, self._prefixes = store, settings, dict(prefixes)
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._lock = threading.Lock()
        self._workers: set[_Worker] = set()
        self._closed = False
        for worker in [_Worker(store, settings.sparql_memory_mb) for _ in range(settings.sparql_workers)]:
            self._workers.add(worker)
            self._free.put(worker)
        self._fresh = set(self._workers)

    def query(
        self,
        text: str,
        *,
        accept: str | None = None,
        format: str | None = None,
        default_graphs: list[str] | None = None,
        named_graphs: list[str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """The answer to a query, whole: an error is raised before the first byte, never in the middle.

        Raises QueryRejected (malformed or forbidden), NotAcceptable, QueryTimeout, QueryTooLarge, or Busy where no
        worker came free within the time limit.
        """
        checked = check(text, self._settings)
        choice = negotiate(checked.form, accept, format)
        limit = timeout or self._settings.sparql_timeout
        request = {
            "query": checked.text,
            "serializer": choice.serializer,
            "prefixes": self._prefixes,
            "union": not (checked.dataset or default_graphs or named_graphs),
            "default_graphs": default_graphs or [],
            "named_graphs": named_graphs or [],
            "limit": self._settings.sparql_result_mb * 1024 * 1024,
        }
        try:
            worker = self._free.get(timeout=limit)
        except queue.Empty:
            raise Busy("All query workers are taken.", "Try again in a moment.") from None
        body: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)
        try:
            head, size = self._ask(worker, request, limit, body)
            self._raise(head, limit)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return Answer(choice.media_type, size, body)

    def close(self, wait: float = 5.0) -> None:
        """Lets running queries end for `wait` seconds, then ends every worker."""
        with self._lock:
            self._closed = True
        deadline = time.monotonic() + wait
        while self._free.qsize() < len(self._workers) and time.monotonic() < deadline:
            time.sleep(0.01)
        with self._lock:
            workers, self._workers = list(self._workers), set()
        for worker in workers:
            worker.end()

    def _ask(
        self, worker: _Worker, request: dict[str, object], limit: float, body: IO[bytes]
    ) -> tuple[dict[str, str], int]:
        timer = threading.Timer(limit, worker.kill)
        answered = False
        try:
            if worker in self._fresh:
                self._fresh.discard(worker)
                if not worker.ready():
                    return {"error": "start"}, 0
            timer.start()
            send(worker.stdin, request)
            message = receive_head(worker.stdout)
            if message is None:
                return {"error": "timeout" if worker.killed else "died"}, 0
            head, size = message
            left = size
            while left and (block := worker.stdout.read(min(left, _BLOCK))):
                body.write(block)
                left -= len(block)
            answered = left == 0 and head.get("error") != "memory"
            return (head, size) if left == 0 else ({"error": "timeout" if worker.killed else "died"}, 0)
        except BrokenPipeError:
            return {"error": "timeout" if worker.killed else "died"}, 0
        finally:
            timer.cancel()
            if answered and not worker.killed:
                self._free.put(worker)
            else:
                self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        """Starts another worker in place of one that was killed or died. Starting takes no wait: it opens the store later."""
        with self._lock:
            self._workers.discard(worker)
            if not self._closed:
                fresh = _Worker(self._store, self._settings.sparql_memory_mb)
                self._workers.add(fresh)
                self._fresh.add(fresh)
                self._free.put(fresh)
        worker.end()

    def _raise(self, head: dict[str, str], limit: float) -> None:
        error = head.get("error")
        if error is None:
            return
        if error == "timeout":
            raise QueryTimeout(
                f"The query was stopped after {limit:g} seconds.",
                "Narrow it: name the class first, filter early, add LIMIT, or ask a query of the library.",
            )
        if error in ("memory", "died"):
            raise QueryTooLarge(
                f"The query needed more than {self._settings.sparql_memory_mb:,} MB, or ended its worker.",
                "Avoid joins of everything with everything, and ORDER BY over all of it.",
            )
        if error == "large":
            raise QueryTooLarge(
                f"The answer is larger than {self._settings.sparql_result_mb:,} MB.",
                "Add LIMIT and OFFSET, or take the whole graph with `dhu export`.",
            )
        if error == "start":
            raise Busy(
                "A query worker could not open the store.", "Check the release with `dhu releases verify`."
            )
        raise QueryRejected(
            f"The query cannot be evaluated: {head.get('detail', 'no reason given')}.", "Check its syntax."
        )
