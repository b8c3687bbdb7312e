"""A derived statement with its evidence, and the lines of both."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pyoxigraph as ox

from dhu_graph.ontology import RDF_TYPE, Ontology

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DECIMAL = "http://www.w3.org/2001/XMLSchema#decimal"
LONGEST = 120
"""Characters of evidence that are kept."""
ASSERTED = 0.6
"""From this confidence on the statement itself stands in the graph; a less sure one is only described, as a hint."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """One derived statement; `method` is the code of a concept of `vocab/derivation-method`, `confidence` 0 to 1."""

    subject: str
    predicate: str
    object: ox.NamedNode | ox.Literal
    method: str
    confidence: float
    evidence: str

    def lines(self, ontology: Ontology, source: str) -> Iterator[bytes]:
        """The N-Quads of the statement itself, where it is sure enough, and of the node that says how it was derived."""
        graph, ns = f"<{ontology.iri('graph/derived')}>", ontology.iri("ns#")
        subject, predicate = f"<{self.subject}>", f"<{self.predicate}>"
        key = "\0".join((source, subject, predicate, str(self.object), self.method))
        node = f"<{ontology.iri('id/derivation/')}{hashlib.sha256(key.encode()).hexdigest()[:16]}>"
        evidence = " ".join(self.evidence.split())
        if len(evidence) > LONGEST:
            evidence = evidence[: LONGEST - 1] + "…"
        confidence = ox.Literal(f"{self.confidence:.2f}", datatype=ox.NamedNode(DECIMAL))
        if self.confidence >= ASSERTED:
            yield f"{subject} {predicate} {self.object} {graph} .\n".encode()
        for said, value in (
            (RDF_TYPE, f"<{ns}Derivation>"),
            (RDF + "subject", subject),
            (RDF + "predicate", predicate),
            (RDF + "object", str(self.object)),
            (ns + "method", f"<{ontology.iri('vocab/derivation-method/')}{self.method}>"),
            (ns + "confidence", str(confidence)),
            (ns + "evidenceText", str(ox.Literal(evidence))),
        ):
            yield f"{node} <{said}> {value} {graph} .\n".encode()
