"""How well search does on judged questions: nDCG, first hits, reciprocal ranks."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dhu_graph import assets
from dhu_graph.errors import UnknownName, UsageError
from dhu_graph.search import Searcher


def evaluate(
    searcher: Searcher, queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, int]], k: int = 10
) -> dict[str, float]:
    """`ndcg@k`, `r@1` and `mrr@k`, means over the judged questions, and their number as `queries`.

    `queries` maps an id to a question, `qrels` the same id to graded relevance by IRI; questions without a relevant
    document are left out. nDCG has linear gains (Järvelin & Kekäläinen 2002, as trec_eval does); `r@1` is the share
    of questions whose first hit is relevant; `mrr` is 0 for a question without a relevant hit among the k.
    """
    judged = {
        qid: grades for qid, grades in qrels.items() if qid in queries and max(grades.values(), default=0) > 0
    }
    if not judged:
        raise UsageError("None of the questions has a relevant document.")
    answers = searcher.search_all([queries[qid] for qid in judged], limit=k)
    sums = {f"ndcg@{k}": 0.0, "r@1": 0.0, f"mrr@{k}": 0.0}
    for grades, hits in zip(judged.values(), answers, strict=True):
        gains = [grades.get(hit.document.iri, 0) for hit in hits]
        first = next((place for place, gain in enumerate(gains, 1) if gain > 0), None)
        sums[f"ndcg@{k}"] += _dcg(gains) / _dcg(sorted(grades.values(), reverse=True)[:k])
        sums["r@1"] += first == 1
        sums[f"mrr@{k}"] += 1 / first if first else 0.0
    return {name: total / len(judged) for name, total in sums.items()} | {"queries": len(judged)}


def judged(
    name: str,
    searcher: Searcher,
    iris: Iterable[str],
    split: str | None = None,
    replaced: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """`evaluate` on a judged set of `evaluation/`, or on its `open` or `locked` half.

    Its judgements name records of the starter catalogue; `iris` are those of the documents, in which they are found,
    `replaced` the IRIs that others go by now.
    Raises UnknownName where there is no such set or half.
    """
    folder = assets.folder("evaluation") / name
    if not (folder / "queries.jsonl").is_file():
        known = ", ".join(sorted(p.parent.name for p in assets.folder("evaluation").glob("*/queries.jsonl")))
        raise UnknownName(f"There is no judged set {name!r}.", f"Sets: {known}.")
    halves = {row["query"]: row["split"] for row in _table(folder / "split.tsv")}
    if split is not None and split not in halves.values():
        raise UnknownName(
            f"{name} has no half {split!r}.", f"Halves: {', '.join(sorted(set(halves.values())))}."
        )
    # A record that was found to be one with another is found under that one's IRI.
    by_slug = {old.rsplit("/", 1)[-1]: new for old, new in (replaced or {}).items()}
    by_slug |= {iri.rsplit("/", 1)[-1]: iri for iri in iris}
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = {q["id"]: q["text"] for q in map(json.loads, lines) if split in (None, halves[q["id"]])}
    qrels: dict[str, dict[str, int]] = {}
    for row in _table(folder / "qrels.tsv"):
        iri = by_slug.get(f"starter-{row['record']}", row["record"])
        grades = qrels.setdefault(row["query"], {})
        grades[iri] = max(int(row["grade"]), grades.get(iri, 0))
    return evaluate(searcher, queries, qrels)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1) if gain > 0)
