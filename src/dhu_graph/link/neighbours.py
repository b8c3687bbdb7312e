"""Neighbours in meaning: resources whose descriptions lie close together share a key.

The keys are signs of projections on fixed random planes (Charikar 2002: the share of equal signs estimates the angle), so
that the key of a resource depends on nothing but itself and the model.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dhu_graph.link.mentions import Mention
from dhu_graph.ontology import Ontology

if TYPE_CHECKING:
    from dhu_graph.embedding import Embedder

TABLES, BITS = 16, 12


class Neighbours:
    """The vectors of resources, centred; without an embedder there are none, and no neighbours."""

    def __init__(self, mentions: Sequence[Mention], ontology: Ontology, embedder: "Embedder | None") -> None:
        self._rows: dict[int, int] = {}
        self._vectors: NDArray[np.float32] = np.empty((0, 1), dtype=np.float32)
        chosen = [
            number
            for number, mention in enumerate(mentions)
            if not mention.is_organisation and mention.summary
        ]
        if embedder is None or not chosen:
            return
        self._rows = {number: row for row, number in enumerate(chosen)}
        # The centre comes from the definitions of the ontology, so that no vector moves when another record comes.
        definitions = sorted({text for iri in ontology.terms() if (text := ontology.comment(iri))})
        centre = np.asarray(embedder.passages(definitions), dtype=np.float32).mean(axis=0)
        vectors = np.asarray(embedder.passages([mentions[n].text for n in chosen]), dtype=np.float32) - centre
        self._vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def keys(self) -> Iterator[tuple[int, str]]:
        """(number of the mention, key): one key a table."""
        if not self._rows:
            return
        planes = np.random.default_rng(20261124).standard_normal((self._vectors.shape[1], TABLES * BITS))
        signs = (self._vectors @ planes.astype(np.float32)) > 0
        weights = 1 << np.arange(BITS)
        for table in range(TABLES):
            buckets = signs[:, table * BITS : (table + 1) * BITS] @ weights
            for number, row in self._rows.items():
                yield number, f"{table}:{buckets[row]}"

    def cosine(self, a: int, b: int) -> float | None:
        """How close two lie (−1 to 1), or None where one of them has no vector."""
        if a not in self._rows or b not in self._rows:
            return None
        return float(self._vectors[self._rows[a]] @ self._vectors[self._rows[b]])
