"""Search over N documents with synthetic vectors, against a bare FAISS flat search of the same vectors."""

import shutil
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import generate
from dhu_graph import index
from dhu_graph.embedding import open_embedder
from dhu_graph.model import Document, Filter
from dhu_graph.search import Searcher
from dhu_graph.settings import Settings

Floats = NDArray[np.float32]
QUESTIONS = 100


class Drawn:
    """An embedder that needs no model: each text gets a real vector with noise, always the same for the same text."""

    name, fingerprint, dimension = "synthetic", "synthetic", 384

    def __init__(self) -> None:
        texts = [
            text
            for record in generate.records(300, seed=1)
            for text in (record["title"], record["description"])
        ]
        self._real = np.asarray(open_embedder(Settings()).passages(texts), dtype=np.float32)

    def passages(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n, 384) within about 0.1 of real ones, as near as passages of one topic are."""
        made = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            draw = np.random.default_rng(zlib.crc32(text.encode()))
            made[row] = self._real[draw.integers(len(self._real))] + draw.normal(0, 0.015, self.dimension)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    queries = passages


def run(records: int, work: Path) -> dict[str, Any]:
    """Milliseconds a question (median and 95th percentile) without a filter and under one that passes some 2 %."""
    import faiss

    shutil.rmtree(work, ignore_errors=True)
    drawn = Drawn()
    begun = time.perf_counter()
    part = index.build(_documents(records), work / "index", drawn)
    built = time.perf_counter() - begun
    opened = index.open_index(work / "index")
    searcher = Searcher(opened, drawn)
    bare = faiss.IndexFlatIP(drawn.dimension)
    bare.add(drawn.passages([str(n) for n in range(part["documents"] + part["windows"])]))
    faiss.omp_set_num_threads(1)
    questions = [record["title"] for record in generate.records(QUESTIONS, seed=7)]
    vectors = drawn.queries(questions)
    narrow = Filter.of(country="MLT")
    flat = _timed(lambda n: bare.search(vectors[n : n + 1], 200))
    whole = _timed(lambda n: searcher.search(questions[n]))
    filtered = _timed(lambda n: searcher.search(questions[n], narrow))
    return {
        "documents": part["documents"],
        "windows": part["windows"],
        "index": part["vectors"],
        "build_s": built,
        "passing_the_filter": searcher.count(narrow),
        "bare_flat_p50_ms": flat[0],
        "search_p50_ms": whole[0],
        "search_p95_ms": whole[1],
        "filtered_p50_ms": filtered[0],
        "search_over_bare_flat": whole[0] / flat[0],
    }


def _documents(records: int) -> list[Document]:
    from dhu_graph import ontology

    terms = ontology.load()
    made = []
    for record in generate.records(records):
        countries = [
            terms.concept("http://publications.europa.eu/resource/authority/country", c)
            for c in record.get("countries", ())
        ]
        codes = tuple(sorted(terms.notation(iri) for iri in countries if iri))
        text = f"{record['title']}\n{record['description']}"
        made.append(
            Document(
                f"http://x/{record['id']}",
                "practice",
                record["title"],
                record["description"],
                text,
                "en",
                {"country": codes} if codes else {},
            )
        )
    return made


def _timed(ask: Callable[[int], object]) -> tuple[float, float]:
    ask(0)
    taken = []
    for number in range(QUESTIONS):
        begun = time.perf_counter()
        ask(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 95))
