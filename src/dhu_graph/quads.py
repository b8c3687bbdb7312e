"""Sorted N-Quads files: the form in which graphs are kept, compared and merged.

Lines are bytes that end in a newline, in byte order, each once. A `.gz` holds them compressed.
"""

import gzip
import hashlib
import heapq
import os
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from dhu_graph.errors import BadInput

RUN_BYTES = 48_000_000
"""How much is sorted in memory before it is spilled to disk."""


class Sorter:
    """Takes lines in any order, gives them back sorted and each once, in bounded memory. A context manager."""

    def __init__(self, scratch: Path) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=scratch, prefix="sort-")
        self._held: list[bytes] = []
        self._size = 0
        self._runs: list[Path] = []

    def __enter__(self) -> "Sorter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def add(self, lines: list[bytes]) -> None:
        """Takes lines; each must end in a newline."""
        self._held += lines
        self._size += sum(map(len, lines))
        if self._size > RUN_BYTES:
            self._spill()

    def sorted(self) -> Iterator[bytes]:
        """All lines in order, each once."""
        self._held.sort()
        return unique(heapq.merge(*(_raw(run) for run in self._runs), self._held))

    def _spill(self) -> None:
        path = Path(self._folder.name) / str(len(self._runs))
        self._held.sort()
        with path.open("wb") as out:
            out.writelines(self._held)
        self._runs.append(path)
        self._held, self._size = [], 0


def unique(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Sorted lines, each once."""
    last = b""
    for line in lines:
        if line != last:
            yield line
            last = line


def write(path: Path, lines: Iterable[bytes]) -> tuple[int, str]:
    """Writes a `.gz` so that it is there whole or not at all; returns how many lines and the SHA-256 of their bytes.

    A block is packed in a thread of its own while the next is gathered.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, count = hashlib.sha256(), 0
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as raw:
        # No name and no time in the header, and one level: equal content gives equal files.
        with (
            gzip.GzipFile(fileobj=raw, mode="wb", filename="", mtime=0, compresslevel=1) as out,
            ThreadPoolExecutor(1, thread_name_prefix="pack") as packer,
        ):

            def pack(block: bytes) -> None:
                digest.update(block)
                out.write(block)

            packing: Future[None] | None = None
            for pending in _gathered(lines, 1_000_000):
                count += len(pending)
                if packing:
                    packing.result()
                packing = packer.submit(pack, b"".join(pending))
            if packing:
                packing.result()
        raw.flush()
        os.fsync(raw.fileno())
    os.replace(temporary, path)
    return count, digest.hexdigest()


def _gathered(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """The lines in lists of about `size` bytes."""
    held: list[bytes] = []
    total = 0
    for line in lines:
        held.append(line)
        total += len(line)
        if total > size:
            yield held
            held, total = [], 0
    if held:
        yield held


def read(path: Path) -> Iterator[bytes]:
    """The lines of a `.gz`, in their order. Raises BadInput for a file that is damaged."""
    with gzip.open(path, "rb") as stream:
        rest = b""
        while block := _block(stream, path):
            lines = (rest + block).splitlines(keepends=True)
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            yield from lines
        if rest:
            yield rest


def blocks(path: Path, size: int) -> Iterator[bytes]:
    """The bytes of a `.gz` in blocks of about `size` bytes, each of whole lines."""
    with gzip.open(path, "rb") as stream:
        rest = b""
        while block := stream.read(size):
            whole, newline, tail = block.rpartition(b"\n")
            if newline:
                yield rest + whole + newline
                rest = tail
            else:
                rest += block
        if rest:
            yield rest


def merge(paths: Iterable[Path]) -> Iterator[bytes]:
    """The lines of several sorted files as one."""
    return unique(heapq.merge(*(read(path) for path in paths)))


def differences(old: Iterable[bytes], new: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """(`-`, line) for what only the old has, (`+`, line) for what only the new has, in order."""
    left, right = iter(old), iter(new)
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if a == b:
            a, b = next(left, None), next(right, None)
        elif b is None or (a is not None and a < b):
            yield "-", a or b""
            a = next(left, None)
        else:
            yield "+", b
            b = next(right, None)


def _block(stream: gzip.GzipFile, path: Path) -> bytes:
    try:
        return stream.read(4_000_000)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadInput(
            f"{path} is damaged: {error}.", "Delete it, then run the ingest or the build again."
        ) from None


def _raw(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=1 << 17) as stream:  # there are many of them at once
        yield from stream
