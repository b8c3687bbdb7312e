"""What one source states of each resource, as the rules need it; read in one pass over its sorted graph."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import IO, cast

import pyoxigraph as ox

from dhu_graph.ontology import RDF_TYPE, Ontology

DCT, DCAT = "http://purl.org/dc/terms/", "http://www.w3.org/ns/dcat#"
TITLE, ALTERNATIVE, DESCRIPTION = DCT + "title", DCT + "alternative", DCT + "description"
KEYWORD, THEME, SPATIAL = DCAT + "keyword", DCAT + "theme", DCT + "spatial"

Term = ox.NamedNode | ox.Literal


@dataclass(frozen=True)
class Facts:
    """One subject: its IRI, its classes, and the values of each predicate; `ns` is the namespace of our terms."""

    iri: str
    ns: str
    values: dict[str, list[Term]] = field(default_factory=dict)

    @property
    def kinds(self) -> set[str]:
        """The IRIs of its classes."""
        return {term.value for term in self.values.get(RDF_TYPE, ())}

    def texts(self, *predicates: str) -> Iterator[tuple[str, str, str]]:
        """(predicate, language or nothing, text) of the literals of these predicates; `dhu:` ones by their local name."""
        for predicate in predicates:
            for term in self.values.get(self._full(predicate), ()):
                if isinstance(term, ox.Literal):
                    yield predicate, term.language or "", term.value

    def iris(self, predicate: str) -> list[str]:
        """The IRIs that a predicate leads to."""
        return [t.value for t in self.values.get(self._full(predicate), ()) if isinstance(t, ox.NamedNode)]

    def has(self, predicate: str) -> bool:
        """Whether the source states any value."""
        return bool(self.values.get(self._full(predicate)))

    def states(self, predicate: str, value: Term) -> bool:
        """Whether the source states this very value."""
        return value in self.values.get(self._full(predicate), ())

    def without(self, *predicates: str) -> "Facts":
        """The same with what is stated by these predicates hidden, to measure a rule against it."""
        hidden = {self._full(p) for p in predicates}
        return replace(self, values={p: v for p, v in self.values.items() if p not in hidden})

    def _full(self, predicate: str) -> str:
        return predicate if ":" in predicate else self.ns + predicate


def read(path: Path, ontology: Ontology) -> Iterator[Facts]:
    """The facts of each subject of a sorted graph, one in memory at a time."""
    ns = ontology.iri("ns#")
    with gzip.open(path, "rb") as stream:
        parsed = ox.parse(cast(IO[bytes], stream), ox.RdfFormat.N_QUADS)
        for subject, quads in groupby(parsed, key=lambda quad: quad.subject):
            if not isinstance(subject, ox.NamedNode):
                continue
            values: dict[str, list[Term]] = {}
            for quad in quads:
                if isinstance(quad.object, (ox.NamedNode, ox.Literal)):
                    values.setdefault(quad.predicate.value, []).append(quad.object)
            yield Facts(subject.value, ns, values)
