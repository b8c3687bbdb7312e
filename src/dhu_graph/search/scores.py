"""Scores of candidates, and their order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scored:
    """One candidate with the terms of its score; `window` is the number of the best window within its text."""

    row: int
    score: float
    parts: dict[str, float]
    window: int | None = None


@dataclass(frozen=True)
class Scores:
    """Scores of candidates for one wording of a question, and what they are made of; arrays of one length."""

    score: NDArray[np.float64]
    whole: NDArray[np.float32]
    best: NDArray[np.float32]
    window: NDArray[np.int64]
    covered: NDArray[np.float64]

    def mixed(self, other: "Scores", share: float) -> "Scores":
        """Both wordings together; the window is that of the wording which weighs more."""
        return Scores(
            (1 - share) * self.score + share * other.score,
            (1 - share) * self.whole + share * other.whole,
            (1 - share) * self.best + share * other.best,
            other.window if share > 0.5 else self.window,
            np.maximum(self.covered, other.covered),
        )


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of length 1; one of length 0 (a lone document of a corpus is its own centroid) stays as it is."""
    return np.asarray(
        vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32
    )


def ranked(found: list[Scored]) -> list[Scored]:
    """Best first. Scores are compared to six digits: sums of the same numbers differ in the seventh."""
    rounded = [Scored(s.row, round(s.score, 6), s.parts, s.window) for s in found]
    return sorted(rounded, key=lambda s: (-s.score, s.row))
