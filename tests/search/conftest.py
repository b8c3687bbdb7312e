"""The packaged model, loaded once per session, and the small corpus of the index tests."""

import sys
from pathlib import Path

import pytest

from dhu_graph.embedding import Embedder, open_embedder
from dhu_graph.settings import load

sys.path.insert(0, str(Path(__file__).parents[1] / "index"))


@pytest.fixture(scope="session")
def packaged_embedder() -> Embedder:
    return open_embedder(load(model="packaged"))
