"""Releases: immutable, numbered builds of the graph and its indexes, and the pointer to the one that is served.

source graphs + ontology → graph.nq.gz (the truth) → store, index (derived) → manifest → flip `current`
"""

from dhu_graph.releases.build import build
from dhu_graph.releases.documents import gave
from dhu_graph.releases.shelf import Release, Shelf

__all__ = ["Release", "Shelf", "build", "gave"]
