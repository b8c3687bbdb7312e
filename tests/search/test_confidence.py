"""Chances are calibrated, kept in a file, and fitted to questions whose answers are there or not."""

from pathlib import Path

import numpy as np
import pytest

from dhu_graph.errors import BadInput
from dhu_graph.evaluation.answering import auc, ece
from dhu_graph.search.confidence import FEATURES, Confidence, features, fit

DRAW = np.random.default_rng(7)
GIVEN = DRAW.standard_normal((4000, len(FEATURES)))
THERE = DRAW.random(4000) < 1 / (1 + np.exp(-(GIVEN[:, 0] * 2 - GIVEN[:, 3] + 0.5)))


def test_a_fit_finds_the_weights_behind_the_samples() -> None:
    found = fit(GIVEN, THERE)
    assert found.weights[0] == pytest.approx(2, abs=0.25) and found.weights[3] == pytest.approx(-1, abs=0.2)
    assert found.bias == pytest.approx(0.5, abs=0.2)
    chances = found.of(GIVEN)
    assert auc(chances, THERE) > 0.85 and ece(chances, THERE) < 0.03


def test_measures_know_the_best_and_the_worst() -> None:
    there = np.array([True, False, True, False])
    assert auc(np.array([0.9, 0.1, 0.8, 0.2]), there) == 1.0
    assert auc(np.array([0.1, 0.9, 0.2, 0.8]), there) == 0.0
    assert ece(there.astype(float), there) == 0.0 and ece(1.0 - there, there) == 1.0


def test_it_is_kept_in_a_file_and_a_broken_one_is_told(tmp_path: Path) -> None:
    found = fit(GIVEN, THERE)
    found.write(tmp_path / "deep" / "one.json")
    assert Confidence.read(tmp_path / "deep" / "one.json") == found
    for broken in (
        "",
        "{}",
        '{"bias": 1, "weights": [1], "mean": [1], "scale": [1], "samples": 1, "auc": 1, "ece": 1}',
    ):
        (tmp_path / "broken.json").write_text(broken, encoding="utf-8")
        with pytest.raises(BadInput, match="broken.json"):
            Confidence.read(tmp_path / "broken.json")


def test_the_weights_of_the_installation_are_a_fit() -> None:
    shipped = Confidence.read()
    assert shipped.samples > 200 and shipped.auc > 0.85 and shipped.ece < 0.05


def test_one_hit_alone_has_features() -> None:
    found = features([0.3], [{"coverage": 0.5, "window": 0.1, "whole": 0.2}], 1.0)
    assert found.tolist() == [0.0, 0.5, 0.1, 0.2, 0.5, 1.0]
