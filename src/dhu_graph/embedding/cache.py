"""Embeddings that are not computed twice: kept by the text's sha256, one SQLite file per model fingerprint."""

import contextlib
import hashlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dhu_graph.embedding.protocol import Embedder, Vectors

BATCH = 64
"""Texts between two commits: what a killed build loses at most (two or three seconds on one core)."""

ASK = 500
"""Keys per SELECT; SQLite allows 999 variables in its older builds."""

PATIENCE = 30.0
"""Seconds to wait for another process that writes; its transactions take milliseconds."""

log = logging.getLogger(__name__)


class CachedEmbedder:
    """An embedder that looks each passage up before it asks the model.

    The file is `<folder>/embeddings/<fingerprint>.sqlite`; the fingerprint covers model and prompt. It holds digests
    and float32 vectors, no text, so that a cached build is bit for bit the fresh one. Several processes may use it at
    once, and a kill at any moment leaves it readable. Whatever is wrong with the cache costs time, never the job: a
    corrupt file is set aside, a full or read-only disk is logged. Questions are not kept: they are people's.
    """

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self._embedder = embedder
        self._folder = folder / "embeddings"

    @property
    def name(self) -> str:
        """The model's name."""
        return self._embedder.name

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint."""
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    @property
    def path(self) -> Path:
        """The cache file of this model and prompt."""
        return self._folder / f"{self.fingerprint}.sqlite"

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, straight from the model."""
        return self._embedder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, shape (len(texts), dimension); only texts never seen before reach the model."""
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts]
        known = self._look_up(list(dict.fromkeys(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        # Alike lengths together: a batch costs its longest text.
        todo = sorted(missing.items(), key=lambda item: len(item[1]))
        for start in range(0, len(todo), BATCH):
            part = todo[start : start + BATCH]
            fresh = self._embedder.passages([text for _, text in part])
            new = {key: vector for (key, _), vector in zip(part, fresh, strict=True)}
            self._store(new)
            known.update(new)
        found = np.empty((len(keys), self.dimension), dtype=np.float32)
        for place, key in enumerate(keys):
            found[place] = known[key]
        return found

    def _look_up(self, keys: list[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}

        def read(connection: sqlite3.Connection) -> None:
            for start in range(0, len(keys), ASK):
                part = keys[start : start + ASK]
                marks = ",".join("?" * len(part))
                for key, blob in connection.execute(
                    f"SELECT key, vector FROM v WHERE key IN ({marks})", part
                ):
                    if (vector := _vector(blob, self.dimension)) is not None:
                        found[key] = vector

        self._use(read)
        return found

    def _store(self, new: dict[bytes, Vectors]) -> None:
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in new.items()]
        self._use(lambda connection: connection.executemany("INSERT OR REPLACE INTO v VALUES (?, ?)", rows))

    def _use(self, action: Callable[[sqlite3.Connection], object]) -> None:
        """Runs the action in a transaction; what the disk or SQLite refuse is logged and goes no further."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # No WAL: it needs shared memory, which network folders lack; writers are brief here.
            with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection, connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS v (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                )
                action(connection)
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
            ):
                self._set_aside(error)
            else:
                log.warning("The embedding cache %s cannot be used now: %s", self.path, error)

    def _set_aside(self, error: BaseException) -> None:
        suffix = f".corrupt-{time.time_ns()}"
        for path in (self.path, self.path.with_name(self.path.name + "-journal")):
            with contextlib.suppress(OSError):
                path.rename(path.with_name(path.name + suffix))
        log.warning(
            "The embedding cache %s is corrupt (%s); it was set aside as *%s.", self.path, error, suffix
        )


def _vector(blob: object, dimension: int) -> Vectors | None:
    """The stored vector, or None where it is not one of unit length: SQLite does not checksum its pages."""
    if not isinstance(blob, bytes) or len(blob) != 4 * dimension:
        return None
    vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
    return vector if abs(float(vector @ vector) - 1.0) < 1e-3 else None
