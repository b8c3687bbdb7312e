"""Blocks: mentions that share a key, and the pairs of them, in arrays, since a large radar has millions of pairs.

A key is a number of 64 bits. That two keys fall on one number by chance costs a comparison and nothing else.
"""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Pairs = NDArray[np.int64]
"""Shape (n, 2): numbers of mentions, the smaller first, each pair once, in order."""


def hashed(texts: Iterable[str]) -> Keys:
    """The numbers of keys, each once."""
    found = {hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest() for text in texts}
    return np.frombuffer(b"".join(sorted(found)), dtype=np.uint64)


def pairs(numbers: NDArray[np.int64], keys: Keys, most: int) -> Pairs:
    """Pairs of mentions that share a key which no more than `most` have; `numbers[i]` is one that has `keys[i]`."""
    found = []
    for members in blocks(numbers, keys, most):
        left, right = np.triu_indices(members.shape[1], 1)
        found.append(np.stack([members[:, left].ravel(), members[:, right].ravel()], axis=1))
    return together(found)


def blocks(numbers: NDArray[np.int64], keys: Keys, most: int) -> Iterator[NDArray[np.int64]]:
    """The mentions of each key that two to `most` have, in order; those of one size together, shape (keys, size)."""
    if not len(keys):
        return
    order = np.lexsort((numbers, keys))
    numbers, keys = numbers[order], keys[order]
    fresh = np.append(True, (np.diff(keys) != 0) | (np.diff(numbers) != 0))
    numbers, keys = numbers[fresh], keys[fresh]
    starts = np.flatnonzero(np.append(True, np.diff(keys) != 0))
    sizes = np.diff(np.append(starts, len(keys)))
    for size in range(2, most + 1):
        if len(of_size := starts[sizes == size]):
            yield numbers[of_size[:, None] + np.arange(size)]


def together(parts: Iterable[Pairs]) -> Pairs:
    """The pairs of several parts, each once, in order."""
    packed = [(part[:, 0] << 32) | part[:, 1] for part in parts if len(part)]
    if not packed:
        return np.empty((0, 2), dtype=np.int64)
    whole = np.sort(np.concatenate(packed))  # np.unique hashes, which takes ten times as long
    whole = whole[np.append(True, np.diff(whole) != 0)]
    return np.stack([whole >> 32, whole & 0xFFFFFFFF], axis=1)
