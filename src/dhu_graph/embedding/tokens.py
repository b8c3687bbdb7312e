"""Texts become token ids by the `tokenizers` package alone, with little memory and whatever the text."""

import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.embedding.pruning import unsuited

Ids = NDArray[np.int64]

WHOLE, SMALL, SMALL_IDS = "tokenizer.json", "tokenizer-small.json", "tokenizer-small.npy"

LONGEST = 100_000
"""Characters of a text that are looked at. A window of 512 tokens holds some 2,500; a text of MBs would take seconds."""


class Tokens:
    """The tokenizer of an exported model; many threads may call it.

    Texts in the alphabets of Europe are cut by a smaller tokenizer with the same result; the whole one, which takes
    some 280 MB, is loaded at the first text that needs it, and stays: loading takes a second.
    """

    def __init__(self, folder: Path, window: int, characters: list[list[int]] | None) -> None:
        self._folder, self._window = folder, window
        self._unsuited = unsuited(characters) if characters else None
        self._turn = threading.Lock()
        self._loaded: dict[str, Any] = {}

    def __call__(self, text: str) -> Ids:
        """The ids of a text, its special tokens included, cut to the model's window."""
        # Lone surrogates (from broken command lines) make the tokenizer fail.
        clean = text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
        if self._unsuited is None or self._unsuited.search(clean):
            return self._cut(WHOLE, clean)
        return self._small_ids[self._cut(SMALL, clean)]

    def _cut(self, name: str, text: str) -> Ids:
        return np.array(self._tokenizer(name).encode(text).ids, dtype=np.int64)

    @cached_property
    def _small_ids(self) -> Ids:
        return np.load(self._folder / SMALL_IDS).astype(np.int64)

    def _tokenizer(self, name: str) -> Any:
        with self._turn:
            if name not in self._loaded:
                from tokenizers import Tokenizer

                tokenizer = Tokenizer.from_file(str(self._folder / name))
                tokenizer.no_padding()
                tokenizer.enable_truncation(self._window)
                self._loaded[name] = tokenizer
            return self._loaded[name]
