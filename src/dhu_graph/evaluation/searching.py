"""How well search does on judged questions: nDCG, recall and reciprocal ranks, question by question."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dhu_graph import assets
from dhu_graph.errors import UnknownName, UsageError
from dhu_graph.search import Searcher


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one question: nDCG and recall at k, reciprocal rank, and whether the first hit is relevant."""

    ndcg: float
    recall: float
    rr: float
    first: float


@dataclass(frozen=True, slots=True)
class Question:
    """A judged question; `filters` are what its words name, `grades` the relevance of documents by IRI."""

    id: str
    text: str
    language: str
    kind: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    grades: Mapping[str, int] = field(default_factory=dict)


def evaluate(
    searcher: Searcher, queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, int]], k: int = 10
) -> dict[str, float]:
    """`ndcg@k`, `r@1` and `mrr@k`, means over the judged questions, and their number as `queries`.

    `queries` maps an id to a question, `qrels` the same id to graded relevance by IRI; questions without a relevant
    document are left out. `r@1` is the share of questions whose first hit is relevant; `mrr` is 0 for a question
    without a relevant hit among the k.
    """
    asked = [Question(qid, text, "", "", {}, qrels.get(qid, {})) for qid, text in queries.items()]
    found = scores(searcher, asked, k).values()
    if not found:
        raise UsageError("None of the questions has a relevant document.")
    return {
        f"ndcg@{k}": sum(one.ndcg for one in found) / len(found),
        "r@1": sum(one.first for one in found) / len(found),
        f"mrr@{k}": sum(one.rr for one in found) / len(found),
        "queries": len(found),
    }


def scores(
    searcher: Searcher, questions: Iterable[Question], k: int = 10, relevant: int = 1
) -> dict[str, Scores]:
    """Question → its scores, for those with a relevant document; from grade `relevant` on a hit counts as one.

    nDCG has linear gains (Järvelin & Kekäläinen 2002, as trec_eval does) and takes every grade. Recall is over at most
    k relevant documents, so that 1 can be reached.
    """
    judged = [question for question in questions if max(question.grades.values(), default=0) >= relevant]
    answers = searcher.search_all([question.text for question in judged], limit=k) if judged else []
    found = {}
    for question, hits in zip(judged, answers, strict=True):
        gains = [question.grades.get(hit.document.iri, 0) for hit in hits]
        good = [place for place, gain in enumerate(gains, 1) if gain >= relevant]
        there = sum(grade >= relevant for grade in question.grades.values())
        found[question.id] = Scores(
            _dcg(gains) / _dcg(sorted(question.grades.values(), reverse=True)[:k]),
            len(good) / min(there, k),
            1 / good[0] if good else 0.0,
            float(bool(good) and good[0] == 1),
        )
    return found


def judged(
    name: str, iris: Iterable[str], split: str | None = None, replaced: Mapping[str, str] | None = None
) -> list[Question]:
    """The questions of a judged set of `evaluation/`, or of its `open` or `locked` half.

    Its judgements name records of the starter catalogue; `iris` are those of the documents, in which they are found,
    `replaced` the IRIs that others go by now.
    Raises UnknownName where there is no such set or half.
    """
    folder = assets.folder("evaluation") / name
    if not (folder / "queries.jsonl").is_file():
        known = ", ".join(sorted(p.parent.name for p in assets.folder("evaluation").glob("*/queries.jsonl")))
        raise UnknownName(f"There is no judged set {name!r}.", f"Sets: {known}, link, enrich.")
    halves = {row["query"]: row["split"] for row in _table(folder / "split.tsv")}
    if split is not None and split not in halves.values():
        raise UnknownName(
            f"{name} has no half {split!r}.", f"Halves: {', '.join(sorted(set(halves.values())))}."
        )
    # A record that was found to be one with another is found under that one's IRI.
    by_slug = {old.rsplit("/", 1)[-1]: new for old, new in (replaced or {}).items()}
    by_slug |= {iri.rsplit("/", 1)[-1]: iri for iri in iris}
    qrels: dict[str, dict[str, int]] = {}
    for row in _table(folder / "qrels.tsv"):
        iri = by_slug.get(f"starter-{row['record']}", row["record"])
        grades = qrels.setdefault(row["query"], {})
        grades[iri] = max(int(row["grade"]), grades.get(iri, 0))
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Question(
            q["id"], q["text"], q["language"], q.get("kind", ""), q.get("filters", {}), qrels.get(q["id"], {})
        )
        for q in map(json.loads, lines)
        if split in (None, halves[q["id"]])
    ]


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1) if gain > 0)
