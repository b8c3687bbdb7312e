"""Vectors: centroids, and each kind of FAISS index against plain arithmetic."""

from pathlib import Path

import numpy as np
import pytest

from dhu_graph.index import vectors
from dhu_graph.index.vectors import Space, centroids, raw, write_faiss

COUNT, DIMENSION = 4000, 40


@pytest.fixture(params=["Flat", "SQfp16", "IVF"])
def space(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    """Clustered unit vectors in three languages, under each kind of index; 40 numbers are padded to 48."""
    monkeypatch.setattr(vectors, "FLAT_UP_TO", COUNT if request.param == "Flat" else 0)
    monkeypatch.setattr(vectors, "HALF_UP_TO", COUNT if request.param == "SQfp16" else 0)
    random = np.random.default_rng(7)
    found = random.normal(size=(50, DIMENSION))[random.integers(0, 50, COUNT)]
    found += random.normal(size=(COUNT, DIMENSION)) / 2
    languages = np.arange(COUNT, dtype=np.int64) % 3
    found += 4 * random.normal(size=(3, DIMENSION))[languages]
    found = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    (tmp_path / "x.f32").write_bytes(found.tobytes())
    stored = raw(tmp_path / "x.f32", DIMENSION)
    centres = centroids(stored, languages, np.bincount(languages))
    kind = write_faiss(tmp_path / "x.faiss", stored, languages, centres)
    assert kind.startswith(request.param)
    return Space(stored, tmp_path / "x.faiss", np.arange(COUNT, dtype=np.int64), languages, centres)


def _expected(space: Space, query: np.ndarray, rows: np.ndarray, limit: int) -> list[int]:
    scores = space.centred(np.arange(COUNT)) @ query
    return [int(row) for row in rows[np.argsort(-scores[rows], kind="stable")][:limit]]


def test_top_finds_what_arithmetic_finds(space: Space) -> None:
    everything = np.arange(COUNT)
    shares = [
        len(set(space.top(space.vectors[i], 10)) & set(_expected(space, space.vectors[i], everything, 10)))
        / 10
        for i in range(0, COUNT, 100)
    ]
    assert np.mean(shares) > 0.97


@pytest.mark.parametrize("percent", [1, 9])
def test_a_narrow_filter_is_exact(space: Space, percent: int) -> None:
    rows = np.arange(0, COUNT, 100 // percent, dtype=np.int64)
    for i in range(0, COUNT, 500):
        found, expected = space.top(space.vectors[i], 10, rows), _expected(space, space.vectors[i], rows, 10)
        np.testing.assert_allclose(
            space.scores(space.vectors[i], found),
            space.scores(space.vectors[i], np.array(expected)),
            atol=2e-3,
        )
        assert set(found.tolist()) <= set(rows.tolist())
        assert len(set(found.tolist()) & set(expected)) >= (
            9 if space._index.__class__.__name__.endswith("Quantizer") else 10
        )


def test_a_wide_filter_lets_nothing_else_through(space: Space) -> None:
    rows = np.arange(0, COUNT, 2, dtype=np.int64)
    found = space.top(space.vectors[0], 50, rows)
    assert len(found) == 50
    assert not (found % 2).any()
    assert len(set(found.tolist()) & set(_expected(space, space.vectors[0], rows, 50))) >= 45


def test_scores_are_exact_and_centred(space: Space) -> None:
    ids = np.array([5, 17, 3999])
    query = space.vectors[9]
    np.testing.assert_allclose(space.scores(query, ids), space.centred(ids) @ query, atol=1e-5)


def test_empty_filters_and_limits(space: Space) -> None:
    assert space.top(space.vectors[0], 10, np.empty(0, dtype=np.int64)).tolist() == []
    assert space.top(space.vectors[0], 0).tolist() == []


def test_a_centroid_of_few_documents_leans_on_the_corpus() -> None:
    found = np.array([[1, 0]] * 95 + [[0, 1]] * 5, dtype=np.float32)
    languages = np.array([0] * 95 + [1] * 5)
    centres = centroids(found, languages, np.bincount(languages))
    mean = found.mean(axis=0)
    np.testing.assert_allclose(centres[1], (np.array([0, 1]) + mean) / 2, atol=1e-6)
    np.testing.assert_allclose(centres[0], (95 * np.array([1, 0]) + 5 * mean) / 100, atol=1e-6)


def test_vectors_of_another_width_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.f32").write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match="does not hold"):
        raw(tmp_path / "x.f32", 384)
