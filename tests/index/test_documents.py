"""Documents on disk: rows, IRIs, filters, facets."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dhu_graph.errors import BadInput, UnknownName, UsageError
from dhu_graph.index.documents import Documents, DocumentsWriter
from dhu_graph.model import FILTER_COLUMNS, Document, Filter

DOCUMENTS = [
    Document(
        "http://x/a",
        "practice",
        "Ä",
        "s",
        "Τηλε\u2028health \ud800 \x00",
        "el",
        {"country": ("GRC", "CYP"), "year": ("2021",)},
    ),
    Document("http://x/b", "tool", "B", "s", "t", "en-GB", {"country": ("CYP", "CYP")}),
    Document("http://x/c", "tool", "C", "s", "t", "", {}),
]


def _stored(folder: Path, documents: list[Document]) -> Documents:
    writer = DocumentsWriter(folder)
    assert [writer.add(document) for document in documents] == list(range(len(documents)))
    writer.close()
    return Documents(folder)


def test_documents_come_back_as_they_went_in(tmp_path: Path) -> None:
    stored = _stored(tmp_path, DOCUMENTS)
    assert [stored.get(row) for row in range(len(stored))] == DOCUMENTS
    assert [stored.row(document.iri) for document in DOCUMENTS] == [0, 1, 2]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter(), [0, 1, 2]),
        (Filter.of(country="CYP"), [0, 1]),
        (Filter.of(country=["GRC", "FRA"]), [0]),
        (Filter.of(country="CYP", year="2021"), [0]),
        (Filter.of(country="nowhere"), []),
        (Filter.of(theme="unused column"), []),
    ],
)
def test_rows_of_a_filter(tmp_path: Path, filter: Filter, expected: list[int]) -> None:
    assert _stored(tmp_path, DOCUMENTS).rows(filter).tolist() == expected


def test_facets_count_documents_and_agree_with_filters(tmp_path: Path) -> None:
    stored = _stored(tmp_path, DOCUMENTS)
    facets = stored.facets()
    assert list(facets) == list(FILTER_COLUMNS)
    assert facets["country"] == {"CYP": 2, "GRC": 1}
    for column, counts in facets.items():
        for value, count in counts.items():
            assert len(stored.rows(Filter.of(**{column: value}))) == count
    assert stored.facets(stored.rows(Filter.of(country="GRC")))["country"] == {"CYP": 1, "GRC": 1}
    assert stored.facets([])["country"] == {}


def test_unknown_iris_columns_and_rows(tmp_path: Path) -> None:
    stored = _stored(tmp_path, DOCUMENTS)
    with pytest.raises(UnknownName, match="http://x/zzz"):
        stored.row("http://x/zzz")
    with pytest.raises(UsageError, match="colour"):
        stored.rows(Filter({"colour": frozenset({"red"})}))
    for row in (-1, 3):
        with pytest.raises(IndexError):
            stored.get(row)


def test_two_documents_of_one_iri_and_unknown_columns_are_refused(tmp_path: Path) -> None:
    writer = DocumentsWriter(tmp_path)
    writer.add(DOCUMENTS[0])
    with pytest.raises(BadInput, match="colour"):
        writer.add(Document("http://x/d", "tool", "", "", "", "en", {"colour": ("red",)}))
    writer.add(DOCUMENTS[0])
    with pytest.raises(BadInput, match="same IRI"):
        writer.close()


def test_no_documents_at_all(tmp_path: Path) -> None:
    stored = _stored(tmp_path, [])
    assert len(stored) == 0
    assert stored.rows(Filter.of(country="GRC")).tolist() == []
    assert stored.facets()["country"] == {}


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    documents = [Document(f"http://x/{i}", "k", f"{i}", "", "text " * (i % 50), "en", {}) for i in range(400)]
    stored = _stored(tmp_path, documents)
    rows = np.random.default_rng(0).integers(0, 400, 4000).tolist()
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(stored.get, rows)) == [documents[row] for row in rows]
