"""The report on a judged set: intervals, what dropped for sure, what words named."""

import json
from pathlib import Path

import pytest

from dhu_graph import Engine, assets
from dhu_graph.evaluation import Question, Scores, keep, recognised, report
from dhu_graph.evaluation.report import interval
from dhu_graph.search import Named

QUESTIONS = [Question(f"q{n}", f"text {n}", "en" if n % 2 else "de", "keywords") for n in range(40)]


def scored(shift: float) -> dict[str, Scores]:
    return {
        q.id: Scores(min(1.0, 0.5 + shift + 0.01 * (n % 5)), 0.5, 0.5, 1.0) for n, q in enumerate(QUESTIONS)
    }


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(assets, "folder", lambda name: tmp_path)
    return tmp_path / "mine"


def test_figures_by_language_and_kind_with_intervals(sets: Path) -> None:
    rows = {row["group"]: row for row in report("mine", "open", QUESTIONS, scored(0)).rows}
    assert set(rows) == {"all", "language de", "language en", "kind keywords"}
    whole = rows["all"]
    assert (
        whole["questions"] == 40
        and whole["from"] <= whole["ndcg@10"] <= whole["to"]
        and whole["change"] is None
    )
    low, high = interval([0.0, 1.0] * 50)
    assert 0.38 < low < 0.5 < high < 0.62


def test_a_drop_is_told_where_it_is_real(sets: Path) -> None:
    keep("mine", "open", scored(0))
    assert list(json.loads((sets / "baseline.json").read_text(encoding="utf-8"))) == ["open"]
    assert report("mine", "open", QUESTIONS, scored(0)).drop == ""
    assert report("mine", "open", QUESTIONS, scored(0.1)).drop == ""
    assert "fell by 0.100" in report("mine", "open", QUESTIONS, scored(-0.1)).drop
    mixed = scored(0) | {"q0": Scores(0.0, 0, 0, 0)}
    assert report("mine", "open", QUESTIONS, mixed).drop == "", "one question alone is no drop"


def test_what_words_name_is_compared_with_what_documents_have() -> None:
    asked = [Question("q", "x", "en", "", {"country": ["ESP", "BRA"], "from": 2020}, {})]
    found = [
        Named("country", "ESP", "spain"),
        Named("theme", "cancer", "", hint=True),
        Named("theme", "robotics", ""),
    ]
    rows = {row["column"]: row for row in recognised(asked, lambda text: found, {"country": ["ESP"]})}
    assert rows["country"] == {"column": "country", "named": 1, "found": 1, "precision": 1.0, "recall": 1.0}
    assert rows["year"]["recall"] == 0.0 and rows["theme"]["precision"] == 0.0
    assert rows["all"]["found"] == 2 and rows["all"]["named"] == 2


def test_the_sets_name_documents_and_values_that_there_are(radar: Engine) -> None:
    from dhu_graph.evaluation import judged

    with radar.reading() as opened:
        iris = set(opened.iris())
        questions = judged("search", iris)
    assert len(questions) == 280 and len({q.language for q in questions}) == 14
    assert all(
        sum(q.language == language for q in questions) == 20 for language in {q.language for q in questions}
    )
    assert {iri for q in questions for iri in q.grades} <= iris
    assert all(bool(q.grades) != (q.kind == "none") for q in questions)
