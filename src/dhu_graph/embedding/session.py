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
from dhu_graph.embedding.table import Table
from dhu_graph.embedding.tokens import Tokens

FP32, INT8 = "fp32", "int8"
ABOUT, TABLE = "model.json", "table.npy"

MOST_THREADS = 8
"""More of them mostly wait for memory."""


def threads() -> int:
    """As many as this process has cores, at most eight."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_THREADS)


class ExportedModel:
    """The folder that `export` wrote, at one precision. Many threads may call it; each call opens what it needs.

    One run of the graph takes one thread. Many texts are spread over as many threads as there are cores, at most
    eight; runs of all callers together never exceed the cores.
    """

    def __init__(self, folder: Path, precision: str) -> None:
        self.about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        self._folder, self._precision = folder, precision
        self._table = Table(folder / TABLE)
        self._tokens = Tokens(folder, self.about["window"], self.about["characters"])
        self._threads = threads()
        self._slots = threading.BoundedSemaphore(self._threads)
        self._opening = threading.Lock()

    def vectors(self, prompt: str, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, each behind the prompt, shape (len(texts), dimension).

        Each text has a run of its own. Batches are no faster on a thread, they pad, and eight-bit numbers are scaled by
        the largest of a run: a text's vector would depend on its company.
        """
        found = np.empty((len(texts), self.about["dimension"]), dtype=np.float32)

        def fill(place: int) -> None:
            found[place] = self._vector(prompt + texts[place])

        if len(texts) == 1 or self._threads == 1:
            for place in range(len(texts)):
                fill(place)
        else:
            # The longest first, so that the last threads end together.
            order = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(fill, order))
        return found

    def _vector(self, text: str) -> NDArray[np.float32]:
        ids = self._tokens(text)
        embeds = self._table.rows(ids)[None]
        mask = np.ones((1, len(ids)), dtype=np.int64)
        with self._slots:
            (found,) = self._session.run(None, {"embeds": embeds, "mask": mask})
        vector: NDArray[np.float32] = found[0]
        return vector

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
