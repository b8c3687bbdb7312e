"""How likely it is that an answer is there at all: a logistic over what the best hits look like beside the others.

A cosine tells nothing by itself; how far the best stands out, and how much of the question it holds, does. The weights are
fitted on judged questions with their answers present and taken out (docs/decisions/0603).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph import assets
from dhu_graph.errors import BadInput

FEATURES = ("gap", "coverage", "window", "whole", "coverage_most", "known")
DEPTH = 10
"""Hits that are looked at."""
NO_GOOD_MATCH = 0.2
"""Below this, people are told that nothing here is a good match: half of the questions without an answer, one in twelve of
those with one (leaving one language out)."""
_RIDGE, _STEPS = 3.0, 50
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Confidence:
    """The weights of FEATURES after they are standardised, and on what they rest."""

    bias: float
    weights: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    samples: int = 0
    auc: float = 0.0
    ece: float = 0.0

    def of(self, features: Floats) -> Floats:
        """Probabilities that an answer is there, of features of shape (n, len(FEATURES))."""
        standard = (features - np.array(self.mean)) / np.array(self.scale)
        return np.asarray(
            1 / (1 + np.exp(-(self.bias + standard @ np.array(self.weights)))), dtype=np.float64
        )

    @classmethod
    def read(cls, path: Path | None = None) -> "Confidence":
        """From a file, by default the one that comes with the installation. Raises BadInput for one that is none."""
        path = path or assets.folder("index") / "confidence.json"
        try:
            told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            weights, mean, scale = (tuple(map(float, told[key])) for key in ("weights", "mean", "scale"))
            figures = (int(told["samples"]), float(told["auc"]), float(told["ece"]))
            found = cls(float(told["bias"]), weights, mean, scale, *figures)
            if not len(found.weights) == len(found.mean) == len(found.scale) == len(FEATURES):
                raise ValueError("it is of other features")
            return found
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadInput(f"{path} cannot be used: {error}") from error

    def write(self, path: Path) -> None:
        """To a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def features(scores: Sequence[float], parts: Sequence[dict[str, float]], known: float) -> Floats:
    """Of a ranking, best first: scores, and the terms of each score; `known` of the question."""
    first = parts[0]
    return np.array(
        [
            scores[0] - scores[min(1, len(scores) - 1)],
            first.get("coverage", 0.0),
            first.get("window", 0.0),
            first.get("whole", 0.0),
            max(part.get("coverage", 0.0) for part in parts[:DEPTH]),
            known,
        ]
    )


def fit(given: Floats, there: NDArray[np.bool_]) -> Confidence:
    """Logistic regression with a ridge, by Newton's steps; `there` says whether the answer was."""
    mean, scale = given.mean(axis=0), given.std(axis=0) + 1e-9
    design = np.c_[np.ones(len(given)), (given - mean) / scale]
    ridge = np.diag([0.0, *[_RIDGE] * given.shape[1]])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (chance - there) + ridge @ weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        weights = weights - np.linalg.solve(curve, slope)
    return Confidence(
        float(weights[0]), tuple(weights[1:].tolist()), tuple(mean.tolist()), tuple(scale.tolist())
    )
