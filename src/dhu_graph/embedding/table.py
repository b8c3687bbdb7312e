"""The word embeddings of an exported model: a file of which only the rows asked for are read."""

import os
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Table:
    """Rows of a two-dimensional `.npy` file; many threads may ask at once.

    Read by position rather than through a mapping: the system maps the fifteen neighbours of every page it is asked
    for, so that after some hundred questions all 192 MB counted as memory of the process. They stay in its file cache,
    where they can be given up at any time. Raises ValueError where the file is none of that kind or was cut short.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)  # reads the header; checks the size
        if mapped.ndim != 2 or not mapped.flags.c_contiguous:
            raise ValueError(f"{path.name} is no table of rows")
        self.width = int(mapped.shape[1])
        self._mapped: NDArray[Any] = mapped
        self._first, self._row = int(mapped.offset), mapped.strides[0]
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)  # with the embedder, which nobody closes

    def rows(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows of the ids, shape (len(ids), width)."""
        if not hasattr(os, "pread"):
            return self._mapped[ids].astype(np.float32)
        if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < len(self._mapped):
            raise ValueError("the tokenizer names words that the table does not hold")
        file, first, row = self._file, self._first, self._row
        read = b"".join([os.pread(file, row, first + row * number) for number in ids.tolist()])
        return np.frombuffer(read, dtype=self._mapped.dtype).reshape(len(ids), self.width).astype(np.float32)
