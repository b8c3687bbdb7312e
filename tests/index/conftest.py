"""The embedder of the small corpus."""

import pytest
from small_corpus import WordHashes


@pytest.fixture(scope="session")
def embedder() -> WordHashes:
    return WordHashes()
