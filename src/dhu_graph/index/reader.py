"""Opens an index for reading: its documents, its words and, where it has them, its vectors."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.errors import ReleaseError
from dhu_graph.index import vectors
from dhu_graph.index.builder import ARRAYS, FORMAT, MANIFEST
from dhu_graph.index.documents import Documents, load_arrays
from dhu_graph.index.text import Text


@dataclass(frozen=True)
class Vectors:
    """Whole texts (the vector id is the row) and windows (those of row r are `starts[r]` to `starts[r + 1]`)."""

    whole: vectors.Space
    windows: vectors.Space
    starts: NDArray[np.int64]
    fingerprint: str

    def windows_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ids of all windows of the rows, row by row."""
        firsts, counts = self.starts[rows], self.starts[rows + 1] - self.starts[rows]
        # Position within all ids, less where its row begins there, plus where its row begins in the index.
        return np.arange(counts.sum()) + np.repeat(firsts - np.cumsum(counts) + counts, counts)


@dataclass(frozen=True)
class Index:
    """An opened index, read only; many threads may read at once. `vectors` is None where it was built without."""

    folder: Path
    manifest: dict[str, Any]
    documents: Documents
    text: Text
    vectors: Vectors | None


def open_index(folder: Path) -> Index:
    """The index that `build` wrote. Raises ReleaseError where it is missing, incomplete or of another format.

    Bytes flipped within a FAISS file may hang it or pass unseen: compare checksums first, as a release does.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest.get("format") != FORMAT:
            raise ValueError(f"its format is {manifest.get('format')}, this program reads {FORMAT}")
        index = Index(
            folder=folder,
            manifest=manifest,
            documents=Documents(folder),
            text=Text(folder, manifest["languages"]),
            vectors=_vectors(folder, manifest) if manifest["model"] else None,
        )
        _agree(index)
        return index
    except Exception as error:  # numpy, tantivy and FAISS raise whatever they like on broken files
        raise ReleaseError(
            f"The search index {folder} cannot be opened: {error}",
            "Build again, or roll back to another release.",
        ) from error


def _vectors(folder: Path, manifest: dict[str, Any]) -> Vectors:
    dimension = int(manifest["model"]["dimension"])
    arrays = load_arrays(folder / ARRAYS)
    languages, starts = arrays["languages"], arrays["starts"]
    rows = np.arange(len(languages), dtype=np.int64)
    owners = {"whole": rows, "windows": np.repeat(rows, np.diff(starts))}
    whole, windows = (
        vectors.Space(
            vectors.raw(folder / f"{name}.f32", dimension),
            folder / f"{name}.faiss",
            owners[name],
            languages,
            arrays["centroids"],
        )
        for name in ("whole", "windows")
    )
    return Vectors(whole, windows, starts, str(manifest["model"]["fingerprint"]))


def _agree(index: Index) -> None:
    counts = {
        "manifest": index.manifest["documents"],
        "documents": len(index.documents),
        "text": len(index.text),
    }
    if index.vectors:
        counts["vectors"] = len(index.vectors.whole)
    if len(set(counts.values())) > 1:
        raise ValueError(f"its parts are not of one build: {counts}")
