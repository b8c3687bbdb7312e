"""Whether search knows that it has no answer: fitted on judged questions, their answers present and taken out."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dhu_graph.evaluation.searching import Question
from dhu_graph.search import Searcher
from dhu_graph.search.confidence import Confidence, fit

LEAST = 60
"""Questions with an answer here that a fit needs."""
_BINS = 10
Floats = NDArray[np.float64]


def calibrated(searcher: Searcher, questions: Sequence[Question]) -> Confidence | None:
    """A fit to this release with its AUC and ECE, leaving one language out; None where too few questions have an answer.

    A question with an answer gives two samples, one with all documents and one without those that answer it at all; one
    without an answer gives one.
    """
    answered = [q for q in questions if max(q.grades.values(), default=0) >= 2]
    if len(answered) < LEAST or not searcher.by_meaning:
        return None
    kept = [*answered, *(q for q in questions if q.kind == "none")]
    whole = searcher.features([q.text for q in kept])
    gone = searcher.features([q.text for q in answered], [set(q.grades) for q in answered])
    given = np.concatenate([whole, gone])
    there = np.arange(len(given)) < len(answered)
    languages = np.array([*(q.language for q in kept), *(q.language for q in answered)])
    held_out = np.zeros(len(given))
    for language in sorted(set(languages)):
        own = languages == language
        held_out[own] = fit(given[~own], there[~own]).of(given[own])
    return replace(fit(given, there), samples=len(given), auc=auc(held_out, there), ece=ece(held_out, there))


def auc(chances: Floats, there: NDArray[np.bool_]) -> float:
    """The share of pairs in which the one with an answer has the greater chance (Mann & Whitney 1947)."""
    order = np.empty(len(chances))
    order[np.argsort(chances, kind="stable")] = np.arange(1, len(chances) + 1)
    yes, no = int(there.sum()), int((~there).sum())
    return float((order[there].sum() - yes * (yes + 1) / 2) / (yes * no)) if yes and no else 0.0


def ece(chances: Floats, there: NDArray[np.bool_]) -> float:
    """The expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    return float(
        sum(
            abs(chances[bins == b].mean() - there[bins == b].mean()) * (bins == b).mean()
            for b in range(_BINS)
            if (bins == b).any()
        )
    )
