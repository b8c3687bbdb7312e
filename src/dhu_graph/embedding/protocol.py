"""What an embedding model is here: something that turns questions and texts into comparable unit vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""One row per text, each of length 1, so that the inner product of two rows is their cosine."""


class Embedder(Protocol):
    """Turns texts into unit vectors; questions and passages apart, because some models prompt them differently.

    Its catch: vectors of two fingerprints must never meet in one index, however alike the names are.
    """

    @property
    def name(self) -> str:
        """What people call the model, e.g. `packaged` or `intfloat/multilingual-e5-small`."""
        ...

    @property
    def fingerprint(self) -> str:
        """A short string that differs whenever the vectors of passages would differ."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts to be found, shape (len(texts), dimension), float32, in the order given."""
        ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, shape (len(texts), dimension), float32, in the order given."""
        ...
