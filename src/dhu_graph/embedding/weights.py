"""Reads the 4-bit weights file of multilingual-e5-small into plain arrays and a vocabulary.

Layout (little endian): magic `E5S1`, uint32 version; 7 int32 (hidden size, layers, heads, feed-forward size,
vocabulary, positions, token types), float32 LayerNorm epsilon, int32 (unused here); 5 int32 (pieces, and the ids of
bos, eos, pad, unk), uint64 length of the pieces' text; offsets (pieces+1 × uint32), scores (pieces × float32), the text;
int32 count and uint32 length of a normalisation table (NFKC serves instead); int32 count of tensors, each: uint16 length
of name, name, uint8 type, uint32 count, uint64 offset, uint64 length in bytes. Matrices are blocks of 32 numbers in 18
bytes: a float16 scale and 16 bytes, whose low halves are numbers 0–15 and high halves numbers 16–31, each plus 8.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"

DENSE = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True)
class Shape:
    """The sizes of the BERT model that the file holds."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True)
class Vocabulary:
    """Pieces of the Unigram tokenizer with their log probabilities, and the ids of the special ones."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int


class Weights:
    """The file, mapped into memory; tensors are unpacked one at a time."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._at = 0
        if self._text(4) != MAGIC:
            raise ValueError("not an E5S1 file")
        self._read("I")
        self.shape = Shape(*self._read("7if"))
        self._read("i")
        self.vocabulary = self._vocabulary()
        _, length = self._read("iI")
        self._at += length
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(self._read("i")[0]):
            name = self._text(self._read("H")[0]).decode()
            _, count, offset, _ = self._read("BIQQ")
            self._tensors[name] = (offset, count)

    def tensors(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Every parameter under its name in Hugging Face's BertModel, float32.

        The file has no pooler, and mean pooling needs none; zeros stand there, so that nothing is left to chance.
        """
        s = self.shape
        yield "embeddings.word_embeddings.weight", self._matrix("emb.word", s.vocabulary, s.hidden)
        yield "embeddings.position_embeddings.weight", self._floats("emb.pos").reshape(s.positions, s.hidden)
        types = self._floats("emb.type").reshape(-1, s.hidden)
        yield "embeddings.token_type_embeddings.weight", np.resize(types, (s.token_types, s.hidden))
        yield "embeddings.LayerNorm.weight", self._floats("emb.ln.w")
        yield "embeddings.LayerNorm.bias", self._floats("emb.ln.b")
        for layer in range(s.layers):
            for short, long in DENSE.items():
                rows = s.feed_forward if short == "fi" else s.hidden
                columns = s.feed_forward if short == "fo" else s.hidden
                yield (
                    f"encoder.layer.{layer}.{long}.weight",
                    self._matrix(f"l{layer}.{short}.w", rows, columns),
                )
                yield f"encoder.layer.{layer}.{long}.bias", self._floats(f"l{layer}.{short}.b")
            for short, long in NORMS.items():
                yield f"encoder.layer.{layer}.{long}.weight", self._floats(f"l{layer}.{short}.w")
                yield f"encoder.layer.{layer}.{long}.bias", self._floats(f"l{layer}.{short}.b")

        yield "pooler.dense.weight", np.zeros((s.hidden, s.hidden), dtype=np.float32)
        yield "pooler.dense.bias", np.zeros(s.hidden, dtype=np.float32)

    def _vocabulary(self) -> Vocabulary:
        count, bos, eos, pad, unk, length = self._read("5iQ")
        offsets, scores = self._array("<u4", count + 1), self._array("<f4", count)
        text = self._text(length)
        pieces = [text[a:b].decode() for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
        return Vocabulary(list(zip(pieces, scores.tolist(), strict=True)), bos, eos, pad, unk)

    def _read(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._bytes, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _array(self, dtype: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self._bytes, dtype=dtype, count=count, offset=self._at)
        self._at += found.nbytes
        return found

    def _text(self, length: int) -> bytes:
        return self._array("u1", length).tobytes()

    def _floats(self, name: str) -> NDArray[np.float32]:
        offset, count = self._tensors[name]
        return np.frombuffer(self._bytes, dtype="<f4", count=count, offset=offset)

    def _matrix(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        """Shape (rows, columns), from blocks of 32 four-bit numbers under one scale."""
        blocks = rows * columns // 32
        packed = np.frombuffer(self._bytes, dtype=np.uint8, count=blocks * 18, offset=self._tensors[name][0])
        packed = packed.reshape(blocks, 18)
        scales = packed[:, :2].copy().view("<f2").astype(np.float32)
        numbers = np.empty((blocks, 32), dtype=np.float32)
        numbers[:, :16] = packed[:, 2:] & 15
        numbers[:, 16:] = packed[:, 2:] >> 4
        numbers -= 8
        numbers *= scales
        return numbers.reshape(rows, columns)
