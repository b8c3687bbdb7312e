"""Judged questions (XQuAD, CC BY-SA 4.0) through the real path: build, open, search, evaluate."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from dhu_graph.embedding import Embedder
from dhu_graph.errors import UsageError
from dhu_graph.evaluation import evaluate
from dhu_graph.index import build, open_index
from dhu_graph.model import Document
from dhu_graph.search import Searcher

XQUAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval" / "xquad"

needs_xquad = pytest.mark.skipif(
    not XQUAD.is_dir(), reason="the judged questions are not at ../shared/data/eval/xquad"
)


def _texts(name: str) -> dict[str, str]:
    lines = (XQUAD / name).read_text(encoding="utf-8").splitlines()
    return {item["_id"]: item["text"] for item in map(json.loads, lines)}


def _qrels() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (XQUAD / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, paragraph, grade = line.split("\t")
        found[question][paragraph] = int(grade)
    return found


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory, packaged_embedder: Embedder) -> Searcher:
    folder = tmp_path_factory.mktemp("xquad") / "index"
    documents = [
        Document(iri, "paragraph", "", "", text, "en") for iri, text in _texts("corpus.en.jsonl").items()
    ]
    build(documents, folder, packaged_embedder)
    return Searcher(open_index(folder), packaged_embedder)


@needs_xquad
@pytest.mark.parametrize(("language", "least"), [("en", 0.980), ("de", 0.915)])
def test_questions_find_their_english_paragraph(english: Searcher, language: str, least: float) -> None:
    figures = evaluate(english, _texts(f"queries.{language}.jsonl"), _qrels())
    assert figures["queries"] >= 400
    assert figures["ndcg@10"] >= least


def test_figures_of_a_ranking_worked_out_by_hand(tmp_path: Path) -> None:
    documents = [
        Document(name, "k", "", "", text, "en") for name, text in (("a", "one two three"), ("b", "one two"))
    ]
    build(documents, tmp_path / "i", None)
    searcher = Searcher(open_index(tmp_path / "i"), None)
    figures = evaluate(
        searcher,
        {"q1": "three", "q2": "one two", "q3": "unheard"},
        {q: {"a": 1} for q in ("q1", "q2", "q3", "q4")},
    )
    # q1: a is first; q2: b, the shorter, then a; q3: nothing; q4 was not asked.
    assert figures["queries"] == 3
    assert figures["ndcg@10"] == pytest.approx((1 + 0.6309297 + 0) / 3)
    assert figures["r@1"] == pytest.approx(1 / 3)
    assert figures["mrr@10"] == pytest.approx((1 + 0.5 + 0) / 3)
    with pytest.raises(UsageError):
        evaluate(searcher, {"q1": "three"}, {"q1": {"a": 0}})
