"""A small corpus and a deterministic embedder that hashes words, for real but tiny indexes on disk."""

import hashlib
from collections.abc import Sequence

import numpy as np

from dhu_graph.embedding import Vectors
from dhu_graph.model import Document

SUBJECTS = [
    "telemonitoring",
    "prescription",
    "imaging",
    "maternity",
    "diabetes",
    "dementia",
    "genomics",
    "triage",
]
COUNTRIES = ["GRC", "CYP", "DEU", "FRA", "ITA"]
LANGUAGES = ["en", "de", "el", "lv"]


class WordHashes:
    """The sum of one fixed random vector per word, plus one per language marker (`de:`): a model with a bias."""

    name, fingerprint, dimension = "word-hashes", "word-hashes-1", 48

    def passages(self, texts: Sequence[str]) -> Vectors:
        found = np.stack(
            [sum((self._word(word) for word in text.lower().split()), start=self._word("")) for text in texts]
        )
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    queries = passages

    def _word(self, word: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        seed = int.from_bytes(hashlib.sha256(word.encode("utf-8", "replace")).digest()[:8], "big")
        return np.random.default_rng(seed).normal(size=self.dimension)


def make(count: int) -> list[Document]:
    """Documents that differ in a number, and share subjects, countries, languages and sources."""
    found = []
    for i in range(count):
        subject, other = SUBJECTS[i % 8], SUBJECTS[(i // 8) % 8]
        text = f"Case {i} on {subject}. It joins {subject} with {other}. Number{i} says it all."
        filters = {
            "country": (COUNTRIES[i % 5], COUNTRIES[i % 3]),
            "theme": (subject,),
            "kind": ("practice",),
        }
        if i % 100 == 0:
            filters["source"] = ("rare",)
        found.append(
            Document(
                f"https://w3id.org/dhu/id/practice/{i}",
                "practice",
                f"Case {i}",
                subject,
                text,
                LANGUAGES[i % 4],
                filters,
            )
        )
    return found
