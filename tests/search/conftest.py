"""The packaged model, unpacked and loaded once per session into the cache that the settings name."""

import pytest

from dhu_graph.embedding import Embedder, open_embedder
from dhu_graph.settings import load


@pytest.fixture(scope="session")
def packaged_embedder() -> Embedder:
    return open_embedder(load(model="packaged"))
