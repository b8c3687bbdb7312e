"""How well search does on judged questions: nDCG, first hits, reciprocal ranks."""

import math
from collections.abc import Mapping, Sequence

from dhu_graph.errors import UsageError
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


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1) if gain > 0)
