"""The serving runtime against sentence-transformers: nDCG on XQuAD, documents a CPU second, CPU time of a question.

All in one process and one run, one thread, by CPU time, turn about: other load on the machine then falls on both.
"""

import json
import os
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph import index
from dhu_graph.embedding import CachedEmbedder, Embedder, SentenceEmbedder, open_embedder, packaged
from dhu_graph.evaluation import evaluate
from dhu_graph.model import Document
from dhu_graph.search import Searcher
from dhu_graph.settings import load

PAIRS = ("en en", "de de", "de en", "el en", "ro en", "en de", "en el")
"""Language of the questions, language of the paragraphs."""

TIMED, QUESTIONS, ROUNDS = 24, 40, 3


def run(xquad: Path, work: Path) -> dict[str, Any]:
    """Figures by runtime (`st`, `fp32`, `int8`), and the ratios; `xquad` is the folder of the data."""
    shutil.rmtree(work, ignore_errors=True)
    found: dict[str, Any] = {}
    _speed(_models(), xquad, found)
    _ranking(_models(), xquad, work, found)
    for precision in ("fp32", "int8"):
        worst = max(found[f"ndcg {pair} st"] - found[f"ndcg {pair} {precision}"] for pair in PAIRS)
        found[f"ndcg_lost_by_{precision}"] = worst
        found[f"cpu_a_document_{precision}_over_st"] = (
            found["documents_per_cpu_s st"] / found[f"documents_per_cpu_s {precision}"]
        )
        found[f"cpu_a_question_{precision}_over_st"] = (
            found[f"question_cpu_ms {precision}"] / found["question_cpu_ms st"]
        )
    return found


def _models() -> dict[str, Embedder]:
    folder = packaged.unpacked(packaged.weights_path(), load().cache)
    return {
        "st": SentenceEmbedder(
            "reference",
            lambda: folder,
            passage_prompt=packaged.PASSAGE_PROMPT,
            query_prompt=packaged.QUERY_PROMPT,
            identity=packaged.IDENTITY,
        ),
        **{p: open_embedder(load(model=packaged.NAME, precision=p)) for p in ("fp32", "int8")},
    }


def _speed(models: dict[str, Embedder], xquad: Path, found: dict[str, Any]) -> None:
    import torch

    torch.set_num_threads(1)
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # the runtime takes as many threads as there are cores
    documents = [
        t
        for language in ("en", "de", "el")
        for t in list(_texts(xquad, f"corpus.{language}").values())[: TIMED // 3]
    ]
    questions = [
        q
        for language in ("en", "de", "el", "ro")
        for q in list(_texts(xquad, f"queries.{language}").values())[:10]
    ]
    # Past the caches: what is measured is the model.
    bare = {name: getattr(model, "_embedder", model) for name, model in models.items()}
    reference = bare["st"].passages(documents)
    taken: dict[str, list[float]] = defaultdict(list)
    for name, model in bare.items():
        cosines = (model.passages(documents) * reference).sum(axis=1)
        found[f"least_cosine {name}"] = float(cosines.min())
    for _ in range(ROUNDS):
        for name, model in bare.items():
            seconds = _cpu(model.passages, [documents])
            taken[f"documents_per_cpu_s {name}"].append(len(documents) / seconds)
            seconds = _cpu(model.queries, [[question] for question in questions])
            taken[f"question_cpu_ms {name}"].append(seconds / len(questions) * 1000)
    found |= {name: float(np.median(figures)) for name, figures in taken.items()}
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(len(cores))
    print(found, file=sys.stderr, flush=True)


def _ranking(models: dict[str, Embedder], xquad: Path, work: Path, found: dict[str, Any]) -> None:
    qrels: dict[str, dict[str, int]] = defaultdict(dict)
    for line in (xquad / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, paragraph, grade = line.split("\t")
        qrels[question][paragraph] = int(grade)
    searchers: dict[tuple[str, str], Searcher] = {}
    for pair in PAIRS:
        asked, language = pair.split()
        for name, model in models.items():
            if (name, language) not in searchers:
                cached = model if isinstance(model, CachedEmbedder) else CachedEmbedder(model, load().cache)
                folder = work / f"{name}-{language}"
                texts = _texts(xquad, f"corpus.{language}")
                index.build(
                    (Document(i, "paragraph", "", "", t, language) for i, t in texts.items()), folder, cached
                )
                searchers[name, language] = Searcher(index.open_index(folder), cached)
            figures = evaluate(searchers[name, language], _texts(xquad, f"queries.{asked}"), qrels)
            found[f"ndcg {pair} {name}"] = figures["ndcg@10"]
            print(pair, name, f"{figures['ndcg@10']:.4f}", file=sys.stderr, flush=True)


def _texts(xquad: Path, name: str) -> dict[str, str]:
    lines = (xquad / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return {item["_id"]: item["text"] for item in map(json.loads, lines)}


def _cpu(embed: Callable[[Sequence[str]], object], calls: Sequence[Sequence[str]]) -> float:
    begun = time.process_time()
    for texts in calls:
        embed(texts)
    return time.process_time() - begun
