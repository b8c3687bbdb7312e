"""Vectors of whole texts and of windows, searched by centred inner product.

A model such as e5 puts each language into its own corner and over-ranks the language of the question. So the score is
q·(d − μ), μ being the centroid of the document's language (see docs/decisions/0202). Raw vectors stay on disk as they
came (`*.f32`); the FAISS index beside them (`*.faiss`) holds them centred, which any inner-product index can search.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLAT_UP_TO = 100_000
HALF_UP_TO = 300_000
"""Vectors up to which all are compared, as float32 and as float16; above, clusters and product quantisation."""

EXACT_SHARE = 0.10
"""A filter that passes at most this share is answered from the raw vectors: clusters would miss most of it."""

REFINE, REFINE_LEAST = 4, 1000
"""Quantised candidates per wanted one, and at least; they are scored again from the raw vectors."""

CHUNK = 16_384
TRAINED_ON = 100_000
PSEUDO = 5
"""Documents of the whole corpus mixed into each language's centroid: a mean of two texts is no centroid."""

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


class RawWriter:
    """Appends vectors to a file, so that a build holds one batch of them at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self.count = 0

    def add(self, vectors: Floats) -> None:
        """Appends rows of shape (n, dimension)."""
        self._file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        self.count += len(vectors)

    def close(self, dimension: int) -> Floats:
        """All vectors written, as a read-only map of shape (count, dimension)."""
        self._file.close()
        return raw(self._path, dimension)


def raw(path: Path, dimension: int) -> Floats:
    """The vectors of a file as a read-only map of shape (n, dimension). Raises ValueError where they do not fit."""
    size = path.stat().st_size
    if size % (4 * dimension):
        raise ValueError(f"{path.name} does not hold vectors of {dimension} numbers")
    if not size:
        return np.empty((0, dimension), dtype=np.float32)
    return np.memmap(path, dtype="<f4", mode="r", shape=(size // (4 * dimension), dimension))


def centroids(vectors: Floats, languages: Ids, documents: NDArray[np.int64]) -> Floats:
    """The centroid of each language, shape (languages, dimension), shrunk to the corpus mean.

    `languages` is the language number of each vector, `documents[i]` how many documents language i has:
    μ = (n · mean of the language + PSEUDO · mean of all) / (n + PSEUDO).
    """
    sums = np.zeros((len(documents), vectors.shape[1]))
    for part in _chunks(len(vectors)):
        for language in np.unique(languages[part]):
            sums[language] += vectors[part][languages[part] == language].sum(axis=0, dtype=np.float64)
    counts = np.bincount(languages, minlength=len(documents))[:, None]
    own = sums / np.maximum(counts, 1)
    mean = sums.sum(axis=0) / max(len(vectors), 1)
    weight = documents[:, None]
    return np.asarray((weight * own + PSEUDO * mean) / (weight + PSEUDO), dtype=np.float32)


def write_faiss(path: Path, vectors: Floats, languages: Ids, centres: Floats) -> str:
    """Writes the FAISS index of the centred vectors; gives its kind, e.g. `Flat`."""
    kind = _kind(len(vectors))
    width = _width(vectors.shape[1])
    index = _faiss().index_factory(width, kind, _faiss().METRIC_INNER_PRODUCT)
    if not index.is_trained:
        # Evenly spaced rather than random: the same documents give the same index.
        sample = np.linspace(0, len(vectors) - 1, min(len(vectors), TRAINED_ON), dtype=np.int64)
        index.train(_padded(vectors[sample] - centres[languages[sample]], width))
    for part in _chunks(len(vectors)):
        index.add(_padded(vectors[part] - centres[languages[part]], width))
    _faiss().write_index(index, str(path))
    return kind


class Space:
    """One set of vectors, searched by centred inner product; many threads may search at once.

    `owners` is the row of each vector, ascending; `languages` the language number of each row.
    """

    def __init__(
        self, vectors: Floats, faiss_path: Path, owners: Ids, languages: Ids, centres: Floats
    ) -> None:
        # Flat indexes are mapped, not read: processes that serve the same release share them.
        self._index = _faiss().read_index(str(faiss_path), _faiss().IO_FLAG_MMAP_IFC)
        if self._index.ntotal != len(vectors) or len(owners) != len(vectors):
            raise ValueError(f"{faiss_path.name} and its vectors are not of one build")
        self._compressed = isinstance(self._index, _faiss().IndexIVF)
        self.vectors, self.owners, self._languages, self._centres = vectors, owners, languages, centres

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def centre(self) -> Floats:
        """The centroid of a text whose language is not known: the mean of those of the languages."""
        return np.asarray(self._centres.mean(axis=0), dtype=np.float32)

    def centred(self, ids: Ids) -> Floats:
        """Vectors less the centroid of their language, shape (len(ids), dimension)."""
        return np.asarray(self.vectors[ids]) - self._centres[self._languages[self.owners[ids]]]

    def scores(self, query: Floats, ids: Ids) -> Floats:
        """Exact centred scores of some vectors, shape (len(ids),)."""
        found = np.empty(len(ids), dtype=np.float32)
        offsets = self._centres @ query
        for part in _chunks(len(ids)):
            some = ids[part]
            found[part] = self.vectors[some] @ query - offsets[self._languages[self.owners[some]]]
        return found

    def top(self, query: Floats, limit: int, rows: Ids | None = None) -> Ids:
        """Ids of the vectors with the best centred scores (among those of `rows`), best first, at most `limit`."""
        allowed = None
        if rows is not None:
            passes = np.zeros(len(self._languages), dtype=np.bool_)
            passes[rows] = True
            allowed = passes[self.owners]
            if self._compressed and allowed.sum() <= EXACT_SHARE * len(self):
                return self._best(query, np.flatnonzero(allowed), limit)
        if not len(self) or limit < 1:
            return np.empty(0, dtype=np.int64)
        _faiss().omp_set_num_threads(1)  # holds for the calling thread only, so each call says it
        wanted = min(max(limit * REFINE, REFINE_LEAST) if self._compressed else limit, len(self))
        asked = _padded(query[None], self._index.d)
        _, ids = self._index.search(asked, wanted, params=self._parameters(allowed))
        found = ids[0][ids[0] >= 0].astype(np.int64)
        return self._best(query, found, limit) if self._compressed else found

    def _best(self, query: Floats, ids: Ids, limit: int) -> Ids:
        return ids[np.argsort(-self.scores(query, ids), kind="stable")[:limit]]

    def _parameters(self, allowed: NDArray[np.bool_] | None) -> Any:
        chosen: dict[str, Any] = {}
        if allowed is not None:
            # The bitmap is kept with the selector, which only points to it.
            chosen["sel"] = _faiss().IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if self._compressed:
            return _faiss().SearchParametersIVF(nprobe=max(32, self._index.nlist // 8), **chosen)
        return _faiss().SearchParameters(**chosen)


def _faiss() -> Any:
    """The FAISS module; untyped, because its stubs know neither keyword parameters nor subclasses."""
    import faiss

    return faiss


def _kind(count: int) -> str:
    """The FAISS factory string for so many vectors."""
    if count <= FLAT_UP_TO:
        return "Flat"
    if count <= HALF_UP_TO:
        return "SQfp16"
    return f"IVF{2 ** round(np.log2(count**0.5))},PQ48x4fs"


def _width(dimension: int) -> int:
    """The dimension rounded up to a multiple of 48, which PQ48 divides (384 and 768 as they are)."""
    return -(-dimension // 48) * 48


def _padded(vectors: Floats, width: int) -> Floats:
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, width - vectors.shape[1]))), dtype=np.float32)


def _chunks(count: int) -> Iterator[slice]:
    starts: Iterable[int] = range(0, count, CHUNK)
    return (slice(start, min(start + CHUNK, count)) for start in starts)
