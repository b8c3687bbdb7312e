"""The DHU ontology as code needs it: kinds, labels, concepts by any of their names, shapes and their messages."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import pyoxigraph as ox

from dhu_graph import assets
from dhu_graph.errors import BadInput
from dhu_graph.settings import DEFAULT_BASE

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
DCT = "http://purl.org/dc/terms/"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
SKOS = "http://www.w3.org/2004/02/skos/core#"
SH = "http://www.w3.org/ns/shacl#"
OP_COUNTRY = "http://publications.europa.eu/resource/authority/country"

EU_LANGUAGES = tuple("en bg cs da de el es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split())
"""The 24 official languages of the Union; English, in which the terms are defined, first."""

PREFIXES = {
    "dhu": DEFAULT_BASE + "ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "country": OP_COUNTRY + "/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "nuts": "http://data.europa.eu/nuts/code/",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "qb": "http://purl.org/linked-data/cube#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": RDFS,
    "schema": "https://schema.org/",
    "skos": SKOS,
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Prefixes that every query may use without declaring them."""


@dataclass(frozen=True)
class Ontology:
    """Everything in `ontology/`, with the IRIs under `base`."""

    base: str
    store: ox.Store = field(repr=False)
    shapes: str = field(repr=False)
    fingerprint: str

    def iri(self, local: str) -> str:
        """`iri("ns#lead")` → `https://w3id.org/dhu/ns#lead`."""
        return self.base + local

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """PREFIXES with `dhu:` and the vocabularies under the base of this radar."""
        return {**PREFIXES, "dhu": self.base + "ns#"}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Class IRI → kind as it stands in addresses, for the classes of resources, sources and records."""
        return {
            s.value: o.value
            for s, o in self.pairs(SKOS + "notation")
            if isinstance(s, ox.NamedNode) and s.value.startswith(self.base + "ns#")
        }

    @cached_property
    def resource_kinds(self) -> dict[str, str]:
        """Like `kinds`, for the subclasses of dhu:Resource alone."""
        top = self.base + "ns#Resource"
        below = {s.value for s, o in self.pairs(RDFS + "subClassOf") if o.value == top}
        return {iri: kind for iri, kind in self.kinds.items() if iri in below}

    @cached_property
    def schemes(self) -> dict[str, set[str]]:
        """Scheme IRI → IRIs of its concepts."""
        found: dict[str, set[str]] = {}
        for s, o in self.pairs(SKOS + "inScheme"):
            found.setdefault(o.value, set()).add(s.value)
        return found

    def concept(self, scheme: str, name: str) -> str | None:
        """The concept of a scheme that goes by this notation or label (any case, any language), or None.

        `scheme` is a name of ours (`theme`) or a scheme IRI.
        """
        iri = scheme if ":" in scheme else self.base + "vocab/" + scheme
        if iri not in self.schemes:
            raise BadInput(f"There is no concept scheme {scheme!r}.", "See ontology/vocab for the names.")
        return self._names.get((iri, name.strip().casefold()))

    def notation(self, iri: str) -> str:
        """The short code of a concept (`GRC`, `telemonitoring`), or the last step of its IRI."""
        return self._notations.get(iri) or re.split(r"[/#]", iri)[-1]

    def label(self, iri: str, language: str = "en") -> str:
        """The label of a term or concept in a language, else in English, else in any, else its short code."""
        labels = self.labels.get(iri, {})
        return (
            labels.get(language) or labels.get("en") or next(iter(labels.values()), "") or self.notation(iri)
        )

    def terms(self) -> list[str]:
        """The IRIs of all classes, properties and data types of the DHU namespace, sorted."""
        here = self.base + "ns#"
        return sorted({s.value for s, _ in _pairs(self.store, RDF_TYPE) if s.value.startswith(here)})

    def comment(self, iri: str) -> str:
        """The English comment or definition of a term, or nothing."""
        for predicate in (RDFS + "comment", SKOS + "definition"):
            for quad in self.store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(predicate), None, None):
                return str(getattr(quad.object, "value", ""))
        return ""

    @cached_property
    def messages(self) -> dict[str, tuple[str, str]]:
        """Shape IRI → (message, severity: `Violation`, `Warning` or `Info`)."""
        shapes = ox.Store()
        shapes.load(self.shapes.encode(), ox.RdfFormat.TURTLE)
        severity = {s.value: o.value.rsplit("#", 1)[-1] for s, o in _pairs(shapes, SH + "severity")}
        return {
            s.value: (o.value, severity.get(s.value, "Violation")) for s, o in _pairs(shapes, SH + "message")
        }

    def shape_of(self, message: str) -> str:
        """The short name of the shape that has this message, or nothing."""
        return self._shapes_by_message.get(message, "")

    @cached_property
    def members(self) -> frozenset[str]:
        """The IRIs of the member states of the European Union."""
        return frozenset(s.value for s, _ in self.pairs(self.base + "ns#memberOf"))

    def quads(self) -> Iterator[str]:
        """The N-Quads lines of the graphs `graph/ontology`, `graph/vocab` and `graph/machine-labels`, sorted."""
        lines = (self.store.dump(format=ox.RdfFormat.N_QUADS) or b"").decode().split("\n")
        lines.pop()
        yield from sorted(line + "\n" for line in lines)

    def pairs(self, predicate: str) -> Iterator[tuple[ox.NamedNode, ox.NamedNode | ox.Literal]]:
        """(subject, object) of a predicate."""
        return _pairs(self.store, predicate)

    def literals(self, predicate: str) -> Iterator[tuple[str, ox.Literal, bool]]:
        """(IRI, text, whether it is machine-made) of all that have such a predicate."""
        machine = self.iri("graph/machine-labels")
        for quad in self.store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
            if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal):
                graph = quad.graph_name
                yield (
                    quad.subject.value,
                    quad.object,
                    isinstance(graph, ox.NamedNode) and graph.value == machine,
                )

    @cached_property
    def _shapes_by_message(self) -> dict[str, str]:
        return {message: iri.rsplit("#", 1)[-1] for iri, (message, _) in sorted(self.messages.items())}

    @cached_property
    def _notations(self) -> dict[str, str]:
        plain = "http://www.w3.org/2001/XMLSchema#string"
        return {
            s.value: o.value
            for s, o in self.pairs(SKOS + "notation")
            if isinstance(o, ox.Literal) and o.datatype.value == plain
        }

    @cached_property
    def labels(self) -> dict[str, dict[str, str]]:
        """Term or concept → language → label."""
        found: dict[str, dict[str, str]] = {}
        for predicate in (RDFS + "label", SKOS + "prefLabel", DCT + "title"):
            for s, o in self.pairs(predicate):
                if isinstance(o, ox.Literal):
                    found.setdefault(s.value, {})[o.language or ""] = o.value
        return found

    @cached_property
    def _names(self) -> dict[tuple[str, str], str]:
        scheme_of = {iri: scheme for scheme, concepts in self.schemes.items() for iri in concepts}
        found: dict[tuple[str, str], str] = {}
        # The first one wins, so the surest names come first: a label must never shadow another concept's code,
        # nor a machine translation a label that a person has given.
        names = ("notation", "prefLabel", "altLabel", "hiddenLabel")
        told = [
            (machine, rank, iri, text.value)
            for rank, predicate in enumerate(names)
            for iri, text, machine in self.literals(SKOS + predicate)
        ]
        for _, _, iri, name in sorted(told):
            if iri in scheme_of:
                found.setdefault((scheme_of[iri], name.casefold()), iri)
        return found


@cache
def load(base: str = DEFAULT_BASE) -> Ontology:
    """The ontology of this installation. Raises BadInput naming the file and line that does not parse."""
    folder = assets.folder("ontology")
    store = ox.Store()
    digest = hashlib.sha256(base.encode())
    machine = sorted((folder / "labels").glob("*.mt.ttl"))
    people = sorted({*(folder / "vocab").glob("*.ttl"), *(folder / "labels").glob("*.ttl")} - set(machine))
    for path, graph in [
        (folder / "dhu.ttl", "ontology"),
        *((p, "vocab") for p in people),
        *((p, "machine-labels") for p in machine),
    ]:
        text = rebased(path, base)
        digest.update(text.encode())
        try:
            store.load(
                text.encode(),
                ox.RdfFormat.TURTLE,
                to_graph=ox.NamedNode(base + "graph/" + graph),
                base_iri=base,
            )
        except SyntaxError as error:
            raise BadInput(f"{path.name} is not valid Turtle: {error}.", "Mend the line named.") from None
    shapes = rebased(folder / "shapes.ttl", base)
    digest.update(shapes.encode())
    return Ontology(base, store, shapes, digest.hexdigest())


def _pairs(store: ox.Store, predicate: str) -> Iterator[tuple[ox.NamedNode, ox.NamedNode | ox.Literal]]:
    """(subject, object) of a predicate, without blank nodes."""
    for quad in store.quads_for_pattern(None, ox.NamedNode(predicate), None, None):
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, (ox.NamedNode, ox.Literal)):
            yield quad.subject, quad.object


def rebased(path: Path, base: str) -> str:
    """The text of an asset file with the IRIs of this project moved under `base`."""
    return path.read_text(encoding="utf-8").replace(DEFAULT_BASE, base)
