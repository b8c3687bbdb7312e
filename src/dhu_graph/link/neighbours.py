"""Neighbours in meaning: resources whose descriptions lie close together share a key.

The keys are signs of projections on fixed random planes (Charikar 2002: the share of equal signs estimates the angle), so
that the key of a resource depends on nothing but itself and the model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dhu_graph.link import blocks
from dhu_graph.link.blocks import Pairs
from dhu_graph.link.mentions import Mention
from dhu_graph.ontology import Ontology

if TYPE_CHECKING:
    from dhu_graph.embedding import Embedder

TABLES, BITS, NEAR = 16, 14, 0.55
"""How many keys of how many signs each has, and from which cosine on two that share one are compared."""
_AT_ONCE = 20_000
"""Vectors that are compared together: 30 MB of 384 numbers each."""


class Neighbours:
    """The vectors of resources, centred; without an embedder there are none, and no neighbours."""

    def __init__(self, mentions: Sequence[Mention], ontology: Ontology, embedder: "Embedder | None") -> None:
        self._rows = np.full(len(mentions), -1, np.int64)
        self._vectors: NDArray[np.float32] = np.empty((0, 1), dtype=np.float32)
        chosen = [n for n, mention in enumerate(mentions) if not mention.is_organisation and mention.summary]
        if embedder is None or not chosen:
            return
        self._rows[chosen] = np.arange(len(chosen))
        # The centre comes from the definitions of the ontology, so that no vector moves when another record comes.
        definitions = sorted({text for iri in ontology.terms() if (text := ontology.comment(iri))})
        centre = np.asarray(embedder.passages(definitions), dtype=np.float32).mean(axis=0)
        vectors = np.asarray(embedder.passages([mentions[n].text for n in chosen]), dtype=np.float32) - centre
        self._vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def pairs(self, most: int) -> Pairs:
        """Pairs of those that share a key, which no more than `most` have, and do lie close."""
        numbers = np.flatnonzero(self._rows >= 0)
        if not len(numbers):
            return np.empty((0, 2), dtype=np.int64)
        planes = np.random.default_rng(20261124).standard_normal((self._vectors.shape[1], TABLES * BITS))
        signs = (self._vectors @ planes.astype(np.float32)) > 0
        found = []
        for table in range(TABLES):
            buckets = signs[:, table * BITS : (table + 1) * BITS] @ (1 << np.arange(BITS))
            for members in blocks.blocks(numbers, buckets.astype(np.uint64), most):
                for part in np.array_split(members, members.size // _AT_ONCE + 1):
                    vectors = self._vectors[self._rows[part]]
                    near = np.triu(vectors @ vectors.transpose(0, 2, 1), 1) >= NEAR
                    which, left, right = np.nonzero(near)
                    found.append(np.stack([part[which, left], part[which, right]], axis=1))
        return blocks.together(found)

    def cosines(self, pairs: Pairs) -> NDArray[np.float32]:
        """How close the two of each pair lie (−1 to 1); NaN where one of them has no vector."""
        rows = self._rows[pairs]
        found = np.full(len(pairs), np.nan, dtype=np.float32)
        known = np.flatnonzero((rows >= 0).all(axis=1))
        for start in range(0, len(known), _AT_ONCE):
            part = known[start : start + _AT_ONCE]
            left, right = rows[part].T
            found[part] = np.einsum("ij,ij->i", self._vectors[left], self._vectors[right])
        return found
