"""An index is built from a stream and opened again; broken ones are refused."""

import json
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_corpus import WordHashes, make

from dhu_graph.errors import BadInput, ReleaseError
from dhu_graph.index import build, open_index, windows
from dhu_graph.model import Document


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, embedder: WordHashes) -> Path:
    folder = tmp_path_factory.mktemp("built") / "index"
    build(make(200), folder, embedder)
    return folder


def test_the_manifest_part(tmp_path: Path, embedder: WordHashes) -> None:
    seen: list[tuple[int, int]] = []
    part = build(make(200), tmp_path / "i", embedder, lambda done, total: seen.append((done, total)))
    assert part == {
        "format": 3,
        "documents": 200,
        "windows": 400,
        "languages": {"de": 50, "el": 50, "en": 50, "lv": 50},
        "stemmed": ["de", "el", "en"],
        "model": {"name": "word-hashes", "fingerprint": "word-hashes-1", "dimension": 48},
        "centroids": 4,
        "vectors": {"whole": "Flat", "windows": "Flat"},
    }
    assert seen[0] == (32, 200) and seen[-1] == (200, 200)
    assert open_index(tmp_path / "i").manifest == part


def test_vectors_belong_to_their_rows(built: Path, embedder: WordHashes) -> None:
    index = open_index(built)
    assert index.vectors
    for row in (0, 7, 199):
        document = index.documents.get(row)
        np.testing.assert_allclose(index.vectors.whole.vectors[row], embedder.passages([document.text])[0])
        ids = index.vectors.windows_of(np.array([row]))
        np.testing.assert_allclose(
            index.vectors.windows.vectors[ids], embedder.passages(windows(document.text))
        )
        assert set(index.vectors.windows.owners[ids]) == {row}


def test_windows_of_several_rows_come_in_order(tmp_path: Path, embedder: WordHashes) -> None:
    texts = ["One.", "One. Two. Three. Four.", "", "One. Two."]
    documents = [Document(f"http://x/{i}", "k", "", "", text, "en") for i, text in enumerate(texts)]
    build(documents, tmp_path / "i", embedder)
    vectors = open_index(tmp_path / "i").vectors
    assert vectors
    assert vectors.starts.tolist() == [0, 1, 4, 5, 6]
    assert vectors.windows_of(np.array([1, 3])).tolist() == [1, 2, 3, 5]
    assert vectors.windows_of(np.array([0, 2])).tolist() == [0, 4]


def test_documents_are_streamed_not_held(tmp_path: Path) -> None:
    class Text(str):
        __slots__ = ("__weakref__",)

    alive: list[weakref.ref[Text]] = []

    def stream() -> Iterator[Document]:
        for i in range(500):
            text = Text(f"Document number {i}. It says something.")
            alive.append(weakref.ref(text))
            yield Document(f"http://x/{i}", "k", "", "", text, "en")
            assert sum(ref() is not None for ref in alive) < 100

    build(stream(), tmp_path / "i", WordHashes())


def test_the_same_documents_give_the_same_bytes(built: Path, tmp_path: Path, embedder: WordHashes) -> None:
    build(make(200), tmp_path / "again", embedder)
    for name in ("documents.jsonl", "whole.f32", "windows.f32", "whole.faiss", "windows.faiss", "index.json"):
        assert (tmp_path / "again" / name).read_bytes() == (built / name).read_bytes(), name


def test_without_an_embedder_there_are_words_only(tmp_path: Path) -> None:
    part = build(make(10), tmp_path / "i", None)
    assert part["model"] is None and "vectors" not in part
    index = open_index(tmp_path / "i")
    assert index.vectors is None
    assert index.text.coverage(index.text.terms("number7"), 5) == {7: 1.0}


@pytest.mark.parametrize("with_vectors", [True, False])
def test_an_empty_corpus(tmp_path: Path, embedder: WordHashes, with_vectors: bool) -> None:
    part = build([], tmp_path / "i", embedder if with_vectors else None)
    assert part["documents"] == part["windows"] == 0
    assert len(open_index(tmp_path / "i").documents) == 0


def test_an_index_is_not_built_over_another(built: Path, embedder: WordHashes) -> None:
    with pytest.raises(BadInput, match="not empty"):
        build(make(1), built, embedder)


@pytest.mark.parametrize(
    "name",
    [
        "index.json",
        "documents.jsonl",
        "documents.npz",
        "vectors.npz",
        "whole.f32",
        "windows.f32",
        "whole.faiss",
        "text",
    ],
)
@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_broken_index_is_refused(built: Path, tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(built, folder)
    path = folder / name
    if path.is_dir():
        shutil.rmtree(path)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ReleaseError, match="cannot be opened"):
        open_index(folder)
    assert not (folder / "text").exists() or name != "text", "opening creates nothing"


def test_another_format_and_no_folder_at_all_are_refused(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    shutil.copytree(built, folder)
    manifest = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    (folder / "index.json").write_text(json.dumps(manifest | {"format": 99}), encoding="utf-8")
    for place in (folder, tmp_path / "nowhere"):
        with pytest.raises(ReleaseError, match="cannot be opened"):
            open_index(place)
