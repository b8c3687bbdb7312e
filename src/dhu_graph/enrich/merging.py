"""Derived statements beside several sources that tell of one thing: what one of them states is not derived from another."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from dhu_graph import quads
from dhu_graph.enrich.derived import RDF
from dhu_graph.enrich.facts import DCT, SPATIAL, THEME
from dhu_graph.enrich.regions import NUTS
from dhu_graph.ontology import Ontology

Key = tuple[bytes, bytes, bytes]
Dropped = frozenset[tuple[bytes, ...]]
"""(node,) of derivations and (subject, predicate, object) of their statements."""


def in_the_way(
    derived: Iterable[Path], graphs: Iterable[Path], replaced: Mapping[str, str], ontology: Ontology
) -> dict[Path, Dropped]:
    """File of derived statements → those that must not stand, because another source states it of the same thing.

    `replaced` leads from IRIs that are no longer used to those that stay. Of all statements a stated equal one stands
    in the way; of those made only where none is stated (theme, region, start year, language) any stated one.
    """
    home = {f"<{iri}>".encode(): f"<{stays}>".encode() for iri, stays in replaced.items()}
    home |= {stays: stays for stays in home.values()}
    single = {f"<{p}>".encode() for p in (THEME, SPATIAL, DCT + "language", ontology.iri("ns#startYear"))}
    stated: set[Key] = set()
    for path in graphs if home else ():
        for line in quads.read(path):
            subject, predicate, value = _split(line)
            if subject in home:
                stated.add((home[subject], predicate, value))
                if predicate in single and (predicate != _SPATIAL or value.startswith(_NUTS)):
                    stated.add((home[subject], predicate, b""))
    return {path: frozenset(_dropped(path, home, stated)) if stated else frozenset() for path in derived}


def lines(path: Path, dropped: Dropped) -> Iterator[bytes]:
    """The lines of a file of derived statements without the dropped ones and their evidence."""
    return (line for line in quads.read(path) if not dropped or not _stands_in(line, dropped))


_SPATIAL, _NUTS = f"<{SPATIAL}>".encode(), f"<{NUTS}".encode()
_PARTS = {f"<{RDF}{name}>".encode(): name for name in ("subject", "predicate", "object")}


def _dropped(path: Path, home: Mapping[bytes, bytes], stated: set[Key]) -> Iterator[tuple[bytes, ...]]:
    """(node,) of each derivation that is in the way, and (subject, predicate, object) of its statement."""
    for node, told_of in groupby(quads.read(path), key=lambda line: line.split(b" ", 1)[0]):
        told = {_PARTS[p]: value for _, p, value in map(_split, told_of) if p in _PARTS}
        if len(told) == 3 and told["subject"] in home:
            subject, predicate, value = told["subject"], told["predicate"], told["object"]
            here = home[subject]
            if not stated.isdisjoint({(here, predicate, value), (here, predicate, b"")}):
                yield (node,)
                yield subject, predicate, value


def _stands_in(line: bytes, dropped: Dropped) -> bool:
    subject, predicate, value = _split(line)
    return (subject,) in dropped or (subject, predicate, value) in dropped


def _split(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Subject, predicate and object of a line of N-Quads with a graph."""
    subject, predicate, rest = line.split(b" ", 2)
    return subject, predicate, rest.rsplit(b" ", 2)[0]
