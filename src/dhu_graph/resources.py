"""One resource as a page needs it: its statements with labels, its parts, and who points to it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox

from dhu_graph.errors import Replaced, UnknownName
from dhu_graph.ontology import RDF_TYPE, Ontology
from dhu_graph.releases import gave
from dhu_graph.settings import DEFAULT_BASE

_TITLES = ("http://purl.org/dc/terms/title", "http://xmlns.com/foaf/0.1/name")
_NAMES = (
    *_TITLES,
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
)
_FIRST = (
    RDF_TYPE,
    "http://purl.org/dc/terms/title",
    "http://purl.org/dc/terms/alternative",
    "http://purl.org/dc/terms/description",
)
_LABELLED = (
    "http://www.w3.org/",
    "http://purl.org/",
    "http://publications.europa.eu/resource/authority/",
    "http://reference.data.gov.uk/",
)
_LAST = (
    "https://w3id.org/dhu/ns#citation",
    "http://www.w3.org/2004/02/skos/core#editorialNote",
    "https://w3id.org/dhu/ns#pagesRead",
    "http://www.w3.org/ns/prov#wasDerivedFrom",
)
_REPLACED = "http://purl.org/dc/terms/isReplacedBy"
_MEASURED = "http://www.w3.org/ns/dqv#computedOn"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_ELSEWHERE = {_MEASURED, _RDF + "subject", _RDF + "object"}
MOST_POINTING = 100
"""Statements that point to a resource are shown up to this number."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value: an IRI with its label, or a text with its language; `parts` where it is a node inside the resource."""

    text: str
    iri: str = ""
    language: str = ""
    sources: tuple[str, ...] = ()
    parts: tuple["Statement", ...] = ()
    derived: tuple[str, ...] = ()
    """Where a rule derived it: the rule, how sure it is, and the words it rests on."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One property with its label and its values; `inverse` where others say it of this resource."""

    property: str
    label: str
    values: tuple[Value, ...]
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource: its address, kind, title, and statements in reading order."""

    iri: str
    kind: str
    title: str
    statements: tuple[Statement, ...] = field(default_factory=tuple)


class Resources:
    """Looks resources up in an opened store."""

    def __init__(self, store: ox.Store, ontology: Ontology) -> None:
        self._store, self._ontology = store, ontology

    @property
    def store(self) -> ox.Store:
        """The opened store, only to be read."""
        return self._store

    def get(self, iri: str) -> Resource:
        """A resource with everything that its page shows. Raises UnknownName, Replaced where it goes by another IRI."""
        self._check(iri)
        outgoing = self._statements(iri, inside=())
        if not outgoing:
            raise UnknownName(f"There is no resource {iri}.", "Search for it, or check the address.")
        kinds = [value.iri for s in outgoing if s.property == RDF_TYPE for value in s.values]
        kind = next((self._ontology.kinds[k] for k in kinds if k in self._ontology.kinds), "")
        return Resource(iri, kind, self._label(iri), (*outgoing, *self._pointing(iri)))

    def label(self, iri: str) -> str:
        """The title or name of anything; of a replaced IRI, that of its successor; else the end of the IRI."""
        try:
            self._check(iri)
        except Replaced as moved:
            iri = moved.successor
        return self._label(iri)

    def quads(self, iri: str) -> list[ox.Quad]:
        """All statements of a resource and of its parts. Raises UnknownName, Replaced where it goes by another IRI."""
        self._check(iri)
        found = list(self._closure(iri))
        if not found:
            raise UnknownName(f"There is no resource {iri}.", "Search for it, or check the address.")
        return found

    def replaced(self) -> dict[str, str]:
        """IRI that is no longer used → the one that it goes by now."""
        graph = ox.NamedNode(self._ontology.iri("graph/links"))
        return {
            q.subject.value: q.object.value
            for q in self._store.quads_for_pattern(None, ox.NamedNode(_REPLACED), None, graph)
            if isinstance(q.subject, ox.NamedNode) and isinstance(q.object, ox.NamedNode)
        }

    def _check(self, iri: str) -> None:
        for quad in self._store.quads_for_pattern(
            ox.NamedNode(iri), ox.NamedNode(_REPLACED), None, ox.NamedNode(self._ontology.iri("graph/links"))
        ):
            raise Replaced(iri, str(quad.object.value) if isinstance(quad.object, ox.NamedNode) else "")

    def _closure(self, iri: str) -> Iterator[ox.Quad]:
        waiting, seen = [iri], {iri}
        while waiting:
            for quad in self._store.quads_for_pattern(ox.NamedNode(waiting.pop()), None, None, None):
                yield quad
                value = quad.object
                if (
                    isinstance(value, ox.NamedNode)
                    and value.value.startswith(iri + "#")
                    and value.value not in seen
                ):
                    seen.add(value.value)
                    waiting.append(value.value)

    def _statements(self, iri: str, inside: tuple[str, ...]) -> tuple[Statement, ...]:
        found: dict[str, dict[tuple[str, str], Value]] = {}
        grounds = self._derivations(iri)
        for quad in self._store.quads_for_pattern(ox.NamedNode(iri), None, None, None):
            value = self._value(quad, iri, inside)
            held = found.setdefault(quad.predicate.value, {})
            before = held.get((value.iri, value.text))
            sources = tuple(sorted({*value.sources, *(before.sources if before else ())}))
            derived = tuple(grounds.get((quad.predicate.value, str(quad.object)), ()))
            held[value.iri, value.text] = Value(
                value.text, value.iri, value.language, sources, value.parts, derived
            )
        order = sorted(found, key=lambda p: (self._place(p), self._ontology.label(p), p))
        return tuple(
            Statement(
                p, self._ontology.label(p), tuple(sorted(found[p].values(), key=lambda v: (v.text, v.iri)))
            )
            for p in order
        )

    def _place(self, predicate: str) -> int:
        """Where a property stands on a page: names first, provenance last, the others between, by label."""
        if predicate in _FIRST:
            return _FIRST.index(predicate)
        last = [iri.replace(DEFAULT_BASE, self._ontology.base) for iri in _LAST]
        return len(_FIRST) + 1 + last.index(predicate) if predicate in last else len(_FIRST)

    def _value(self, quad: ox.Quad, owner: str, inside: tuple[str, ...]) -> Value:
        graph = quad.graph_name.value.rsplit("/", 1)[-1] if isinstance(quad.graph_name, ox.NamedNode) else ""
        value = quad.object
        if not isinstance(value, ox.NamedNode):
            return Value(
                str(getattr(value, "value", value)), "", getattr(value, "language", "") or "", (graph,)
            )
        root = inside[0] if inside else owner
        if value.value.startswith(root + "#") and value.value not in inside:
            return Value(
                self._label(value.value),
                value.value,
                "",
                (graph,),
                self._statements(value.value, (root, *inside, value.value)),
            )
        return Value(self._label(value.value), value.value, "", (graph,))

    def _derivations(self, iri: str) -> dict[tuple[str, str], list[str]]:
        """(predicate, object) → the grounds in words, of what rules derived of a node."""
        graph, ns = ox.NamedNode(self._ontology.iri("graph/derived")), self._ontology.iri("ns#")
        found: dict[tuple[str, str], list[str]] = {}
        for pointing in self._store.quads_for_pattern(
            None, ox.NamedNode(_RDF + "subject"), ox.NamedNode(iri), graph
        ):
            told = {
                quad.predicate.value: quad.object
                for quad in self._store.quads_for_pattern(pointing.subject, None, None, graph)
            }
            method, sure, words = (
                str(getattr(told.get(ns + name), "value", ""))
                for name in ("method", "confidence", "evidenceText")
            )
            ground = f"{self._ontology.label(method)}, confidence {sure}: “{words}”"
            key = (str(getattr(told.get(_RDF + "predicate"), "value", "")), str(told.get(_RDF + "object")))
            found.setdefault(key, []).append(ground)
        return {key: sorted(grounds) for key, grounds in found.items()}

    def _pointing(self, iri: str) -> tuple[Statement, ...]:
        found: dict[str, set[str]] = {}
        for count, quad in enumerate(self._store.quads_for_pattern(None, None, ox.NamedNode(iri), None)):
            if count == MOST_POINTING:
                break
            if (
                quad.predicate.value in _ELSEWHERE
            ):  # shown in the quality report or at the value, in better order
                continue
            if isinstance(quad.subject, ox.NamedNode) and not quad.subject.value.startswith(iri + "#"):
                found.setdefault(quad.predicate.value, set()).add(quad.subject.value)
        return tuple(
            Statement(
                p,
                self._ontology.label(p),
                tuple(Value(self._label(s), s) for s in sorted(found[p])),
                inverse=True,
            )
            for p in sorted(found)
        )

    def _figure(self, iri: str) -> str:
        """An observation in words: `prescriptions: 209000, 2023`; nothing for anything else."""
        ns = self._ontology.iri("ns#")
        found = {
            quad.predicate.value.removeprefix(ns): quad.object.value
            for quad in self._store.quads_for_pattern(ox.NamedNode(iri), None, None, None)
            if quad.predicate.value.startswith(ns) and isinstance(quad.object, ox.Literal)
        }
        if "value" not in found or "metric" not in found:
            return ""
        amount = " ".join(filter(None, (found["value"], found.get("unit", ""))))
        planned = "planned" if found.get("planned") == "true" else ""
        return ", ".join(
            filter(
                None, (f"{found['metric']}: {amount}", found.get("place", ""), found.get("year", ""), planned)
            )
        )

    def _label(self, iri: str) -> str:
        names: list[tuple[int, bool, bool, str]] = []
        for quad in self._store.quads_for_pattern(ox.NamedNode(iri), None, None, None):
            if quad.predicate.value in _NAMES and isinstance(quad.object, ox.Literal):
                order = _NAMES.index(quad.predicate.value)
                # Where several sources name one thing, the one that gave the IRI speaks first.
                foreign = quad.object.language not in ("en", None)
                names.append((order, foreign, not gave(quad, iri), quad.object.value))
        if names:
            return min(names)[3]
        if figure := self._figure(iri):
            return figure
        if "#" in iri and iri.startswith(self._ontology.base):
            return iri.rsplit("#", 1)[-1].rsplit("-", 1)[0]
        # An address outside says more whole than by its last step.
        return (
            self._ontology.label(iri)
            if iri.startswith(_LABELLED) or iri.startswith(self._ontology.base)
            else iri
        )
