"""The parent's end of one worker process: start it, ask it one thing at a time, stop it.

Nothing here is shared between threads: the pool hands a Worker to one thread at a time.
"""

import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from dhu_graph.errors import QueryRejected, QueryTimeout, QueryTooLarge, ReleaseError

_PROGRAM = Path(__file__).with_name("worker.py")
_START_SECONDS = 30.0
_NO_MEMORY = (b"memory allocation", b"bad_alloc", b"MemoryError", b"Cannot allocate memory", b"out of memory")


class Worker:
    """A running worker process, ready to be asked once `wait_ready` has returned."""

    def __init__(self, store: Path, memory_mb: int) -> None:
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._notes: IO[bytes] = tempfile.TemporaryFile(prefix="dhu-worker-")
        try:
            # By its file, not by -m: nothing of the package is imported, and a changed sys.path does not matter.
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(store), str(memory_mb)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._notes,
                env={**os.environ, "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,  # Ctrl-C at a terminal is for the parent, which then closes the pool
            )
        except BaseException:
            ours.close()
            self._notes.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Returns once the store is open; raises ReleaseError when it cannot be opened."""
        try:
            header, _ = self._frame(time.monotonic() + _START_SECONDS)
            problem = str(header["detail"]) if header["status"] != "ready" else ""
        except TimeoutError:
            problem = f"no answer in {_START_SECONDS:.0f} s"
        except (EOFError, OSError):
            self._process.wait()
            problem = self._last_note() or f"exit status {self._process.returncode}"
        if problem:
            self.kill()
            raise ReleaseError(
                f"A query worker could not open the store: {problem}.", "Verify or rebuild the release."
            )

    def send(self, request: Mapping[str, Any], deadline: float) -> bool:
        """Hands over one request; False when the process turns out to be gone, and nothing was evaluated.

        Raises TimeoutError past the deadline (of time.monotonic).
        """
        data = json.dumps(request).encode()
        try:
            self._channel.settimeout(self._left(deadline))
            self._channel.sendall(struct.pack(">I", len(data)) + data)
            self._exactly(1, deadline)  # taken: from here on, a death is the query's doing
        except TimeoutError:
            raise
        except (EOFError, OSError):
            return False
        return True

    def receive(self, deadline: float) -> tuple[dict[str, Any], IO[bytes] | None]:
        """The answer's header and, where its status is ok, its body, rewound.

        Raises TimeoutError past the deadline and EOFError or OSError when the process died.
        """
        header, descriptors = self._frame(deadline)
        if header["status"] != "ok":
            return header, None
        if header["file"]:
            if not descriptors:
                raise EOFError
            file = os.fdopen(descriptors[0], "rb")
            file.seek(0)
            return header, file
        return header, io.BytesIO(self._exactly(header["size"], deadline))

    def death(self) -> QueryRejected:
        """What the end of the process says about the query that was running."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            code = 0
        note = self._notes_tail()
        if code == -signal.SIGKILL or code == -signal.SIGABRT or any(sign in note for sign in _NO_MEMORY):
            return QueryTooLarge(
                "The query ran out of memory and was stopped.",
                "Narrow it: fewer joins without shared variables, no ORDER BY over everything, a LIMIT inside.",
            )
        try:
            how = signal.Signals(-code).name
        except ValueError:
            how = f"exit status {code}"
        return QueryRejected(
            f"The query crashed its worker ({how}).", "Simplify it; and please report it, with its text."
        )

    def interrupt(self) -> None:
        """Ends the process only: whoever waits for its answer is told at once, and clears up."""
        self._process.kill()

    def kill(self) -> None:
        """Ends the process at once, and leaves neither zombie nor open descriptor."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._notes.close()

    def stop(self, seconds: float) -> None:
        """Lets an idle process end by itself (it sees its input close), or kills it."""
        try:
            self._channel.shutdown(socket.SHUT_RDWR)
            self._process.wait(seconds)
        except (OSError, subprocess.TimeoutExpired):
            pass
        self.kill()

    def _frame(self, deadline: float) -> tuple[dict[str, Any], list[int]]:
        self._channel.settimeout(self._left(deadline))
        prefix, descriptors, _, _ = socket.recv_fds(self._channel, 4, 1)
        try:
            if not prefix:
                raise EOFError
            prefix += self._exactly(4 - len(prefix), deadline)
            return json.loads(self._exactly(struct.unpack(">I", prefix)[0], deadline)), descriptors
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise

    def _exactly(self, size: int, deadline: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._channel.settimeout(self._left(deadline))
            piece = self._channel.recv(min(size - len(data), 1 << 20))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    @staticmethod
    def _left(deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _notes_tail(self) -> bytes:
        try:
            self._notes.seek(0, os.SEEK_END)
            self._notes.seek(max(0, self._notes.tell() - 4000))
            return self._notes.read()
        except (OSError, ValueError):
            return b""

    def _last_note(self) -> str:
        return self._notes_tail().decode("utf-8", "replace").strip().rpartition("\n")[2]


def timed_out(seconds: float) -> QueryTimeout:
    """The error for a query stopped by the wall clock."""
    return QueryTimeout(
        f"The query was stopped after {seconds:g} s.",
        "Narrow it, add a LIMIT, or raise `sparql_timeout` in the settings.",
    )
