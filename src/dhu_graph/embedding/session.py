"""An exported model at work: token ids in, unit vectors out, by ONNX Runtime and without torch."""

import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.embedding.protocol import Vectors
from dhu_graph.embedding.tokens import Ids, Tokens

FP32, INT8 = "fp32", "int8"
ABOUT, TABLE = "model.json", "table.npy"

TOKENS = 1024
"""Tokens of a batch, padding included: larger ones are not faster, and each token of a long text takes 0.2 MB."""

MOST_THREADS = 8


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ExportedModel:
    """The folder that `export` wrote, at one precision. Many threads may call it; each call opens what it needs.

    One run of the graph takes one thread. Many texts are spread over as many threads as there are cores, at most
    eight; runs of all callers together never exceed the cores.
    """

    def __init__(self, folder: Path, precision: str) -> None:
        self.about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self._folder, self._precision = folder, precision
        self._tokens = Tokens(folder, self.about["window"], self.about["characters"])
        self._threads = min(cores(), MOST_THREADS)
        self._slots = threading.BoundedSemaphore(self._threads)
        self._opening = threading.Lock()

    def vectors(self, prompt: str, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, each behind the prompt, shape (len(texts), dimension)."""
        ids = [self._tokens(prompt + text) for text in texts]
        found = np.empty((len(ids), self.about["dimension"]), dtype=np.float32)
        batches = _batches(ids)
        if len(batches) == 1:
            self._run(ids, batches[0], found)
        elif batches:
            with ThreadPoolExecutor(min(self._threads, len(batches))) as pool:
                list(pool.map(lambda batch: self._run(ids, batch, found), batches))
        return found

    def _run(self, ids: list[Ids], batch: list[int], found: Vectors) -> None:
        length = max(len(ids[place]) for place in batch)
        mask = np.zeros((len(batch), length), dtype=np.int64)
        embeds = np.zeros((len(batch), length, self._table.shape[1]), dtype=np.float32)
        for row, place in enumerate(batch):
            mask[row, : len(ids[place])] = 1
            embeds[row, : len(ids[place])] = self._table[ids[place]]
        with self._slots:
            (found[batch],) = self._session.run(None, {"embeds": embeds, "mask": mask})

    @cached_property
    def _table(self) -> NDArray[Any]:
        # Mapped: of 250,000 words a radar meets some thousands, and only their pages come into memory.
        table: NDArray[Any] = np.load(self._folder / TABLE, mmap_mode="r", allow_pickle=False)
        return table

    @property
    def _session(self) -> Any:
        with self._opening:
            return self._opened

    @cached_property
    def _opened(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # it never gives back what the longest batch took
        options.log_severity_level = 3
        path = self._folder / f"{self._precision}.onnx"
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _batches(ids: list[Ids]) -> list[list[int]]:
    """Places of texts of like length, longest first, so that little is padded and the last threads end together."""
    found: list[list[int]] = []
    room = 0
    for place in sorted(range(len(ids)), key=lambda place: -len(ids[place])):
        if not room:
            found.append([])
            room = max(1, TOKENS // max(1, len(ids[place])))
        found[-1].append(place)
        room -= 1
    return found
