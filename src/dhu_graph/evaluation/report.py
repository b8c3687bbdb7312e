"""The report on a judged set: figures by language and kind with bootstrap intervals, and a comparison with what was kept."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph import assets
from dhu_graph.evaluation.searching import Question, Scores

ROUNDS, SEED = 2000, 20261124
"""Resamples of the questions behind an interval (Efron & Tibshirani 1993, percentile method)."""
BASELINE = "baseline.json"


@dataclass(frozen=True, slots=True)
class Report:
    """Rows for people, and what dropped against the kept baseline, in words; nothing where all is as good."""

    rows: list[dict[str, Any]]
    drop: str = ""


def report(
    name: str, split: str | None, questions: Sequence[Question], found: Mapping[str, Scores]
) -> Report:
    """Means over all questions, each language and each kind; compared with the baseline of the set, if it has one."""
    kept = _baseline(name).get(split or "all", {})
    groups: dict[str, list[str]] = {"all": list(found)}
    for question in questions:
        if question.id in found:
            groups.setdefault(f"language {question.language}", []).append(question.id)
            if question.kind:
                groups.setdefault(f"kind {question.kind}", []).append(question.id)
    rows = [_row(group, ids, found, kept) for group, ids in sorted(groups.items())]
    return Report(rows, _dropped(found, kept))


def keep(name: str, split: str | None, found: Mapping[str, Scores]) -> Path:
    """Writes the scores down as the baseline of this half of the set; gives the file."""
    path = assets.folder("evaluation") / name / BASELINE
    known = _baseline(name)
    known[split or "all"] = {qid: round(one.ndcg, 4) for qid, one in sorted(found.items())}
    path.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    return path


def interval(values: Iterable[float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a mean."""
    given = np.fromiter(values, dtype=np.float64)
    draws = np.random.default_rng(SEED).integers(0, len(given), (ROUNDS, len(given)))
    low, high = np.percentile(given[draws].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def _row(
    group: str, ids: Sequence[str], found: Mapping[str, Scores], kept: Mapping[str, float]
) -> dict[str, Any]:
    some = [found[qid] for qid in ids]
    low, high = interval(one.ndcg for one in some)
    before = [found[qid].ndcg - kept[qid] for qid in ids if qid in kept]
    return {
        "group": group,
        "questions": len(some),
        "ndcg@10": round(sum(one.ndcg for one in some) / len(some), 3),
        "from": round(low, 3),
        "to": round(high, 3),
        "recall@10": round(sum(one.recall for one in some) / len(some), 3),
        "mrr": round(sum(one.rr for one in some) / len(some), 3),
        "change": round(sum(before) / len(before), 3) if before else None,
    }


def _dropped(found: Mapping[str, Scores], kept: Mapping[str, float]) -> str:
    """A drop is real where the whole interval of the mean difference, question by question, lies below nothing."""
    before = [found[qid].ndcg - kept[qid] for qid in found if qid in kept]
    if not before:
        return ""
    low, high = interval(before)
    if high >= 0:
        return ""
    return f"nDCG@10 fell by {-sum(before) / len(before):.3f} against the baseline (95 % interval {low:+.3f} to {high:+.3f})."


def _baseline(name: str) -> dict[str, dict[str, float]]:
    path = assets.folder("evaluation") / name / BASELINE
    found: dict[str, dict[str, float]] = (
        json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    )
    return found
