"""Builds an index: documents go in one by one, a folder with all that search needs comes out."""

import json
from collections.abc import Callable, Iterable
from itertools import chain, islice
from operator import length_hint
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph.embedding import Embedder
from dhu_graph.errors import BadInput
from dhu_graph.index import vectors
from dhu_graph.index.documents import DocumentsWriter, language_of
from dhu_graph.index.text import STEMMERS, TextWriter
from dhu_graph.index.windows import windows
from dhu_graph.model import Document

FORMAT = 3
"""Raised when a folder written before cannot be read any more."""

MANIFEST, ARRAYS = "index.json", "vectors.npz"

BATCH = 32
"""Documents embedded together: some 200 texts, enough to sort by length, few enough to see progress."""

Progress = Callable[[int, int], None]
"""Told (done, total) after each batch; total is 0 where the number of documents is not known beforehand."""


def build(
    documents: Iterable[Document], folder: Path, embedder: Embedder | None, progress: Progress | None = None
) -> dict[str, Any]:
    """Writes the index of the documents into `folder` (new or empty) and returns its part of the manifest.

    Documents are streamed: memory holds one batch of texts, the vectors go to disk as they come. Without an embedder
    the index has words only. The part of the manifest: `format`, `documents`, `windows`, `languages` (documents per
    language), `stemmed` (languages), `model` (None, or name, fingerprint and dimension) and, with a model,
    `centroids` (languages that have one) and `vectors` (the kind of FAISS index of whole texts and of windows).
    Raises BadInput on two documents with one IRI, and where the folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty; an index is built into a new folder.")
    total = length_hint(documents, 0)
    store, text = DocumentsWriter(folder), TextWriter(folder)
    space = _VectorsWriter(folder, embedder) if embedder else None
    done = 0
    iterator = iter(documents)
    while batch := tuple(islice(iterator, BATCH)):
        for document in batch:
            text.add(store.add(document), document.text, language_of(document))
        if space:
            space.add(batch)
        done += len(batch)
        if progress:
            progress(done, total)
    store.close()
    text.close()
    languages = dict(sorted(store.languages.items()))
    part: dict[str, Any] = {
        "format": FORMAT,
        "documents": done,
        "windows": space.windows.count if space else 0,
        "languages": languages,
        "stemmed": sorted(set(languages) & set(STEMMERS)),
        "model": None,
    }
    if space:
        part |= space.close(languages)
    (folder / MANIFEST).write_text(json.dumps(part, indent=1, ensure_ascii=False), encoding="utf-8")
    return part


class _VectorsWriter:
    """Embeds whole texts and windows, then writes centroids and FAISS indexes."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._folder, self._embedder = folder, embedder
        self.whole, self.windows = (
            vectors.RawWriter(folder / "whole.f32"),
            vectors.RawWriter(folder / "windows.f32"),
        )
        self._counts: list[int] = []
        self._languages: list[str] = []

    def add(self, batch: tuple[Document, ...]) -> None:
        cut = [windows(document.text) for document in batch]
        # One call: the embedder sorts by length, and a text of one window is embedded once.
        found = self._embedder.passages([*(document.text for document in batch), *chain.from_iterable(cut)])
        self.whole.add(found[: len(batch)])
        self.windows.add(found[len(batch) :])
        self._counts += map(len, cut)
        self._languages += map(language_of, batch)

    def close(self, languages: dict[str, int]) -> dict[str, Any]:
        dimension = self._embedder.dimension
        numbers = {language: number for number, language in enumerate(languages)}
        of_rows = np.array([numbers[language] for language in self._languages], dtype=np.int64)
        starts = np.cumsum([0, *self._counts], dtype=np.int64)
        documents = np.array(list(languages.values()), dtype=np.int64)
        of_windows = np.repeat(of_rows, np.diff(starts))
        whole, cut = self.whole.close(dimension), self.windows.close(dimension)
        # One centroid serves both: with centroids of their own, windows of other languages ranked a little worse.
        centres = vectors.centroids(whole, of_rows, documents)
        kinds = {
            name: vectors.write_faiss(self._folder / f"{name}.faiss", raw, of_vectors, centres)
            for name, raw, of_vectors in (("whole", whole, of_rows), ("windows", cut, of_windows))
        }
        np.savez(
            self._folder / ARRAYS, languages=of_rows, starts=starts, centroids=centres, allow_pickle=False
        )
        model = {
            "name": self._embedder.name,
            "fingerprint": self._embedder.fingerprint,
            "dimension": dimension,
        }
        return {"model": model, "centroids": len(languages), "vectors": kinds}
