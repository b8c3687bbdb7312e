"""One figure of the quality report, as a value, as N-Quads of `graph/quality`, and read back from a store."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pyoxigraph as ox

from dhu_graph.ontology import DCT, RDF_TYPE, Ontology

DQV = "http://www.w3.org/ns/dqv#"
SCHEME = "vocab/quality/"
_MOST = "https://schema.org/maxValue"
_XSD = "http://www.w3.org/2001/XMLSchema#"


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure of one source. `metric` is a code of `ontology/vocab/quality.ttl`, which also says the type of `value`.

    `part` tells the figures of one metric apart (the name of a shape, an indicator), `year` those of one year; `most` is
    the highest value possible where there is one, and `places` are the countries (IRIs) that a figure counts.
    """

    source: str
    metric: str
    value: str
    part: str = ""
    year: str = ""
    most: int | None = None
    places: tuple[str, ...] = ()
    checked: str = ""
    """When links were checked last (UTC); such figures never stand in a release."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What tells it from every other figure of a release."""
        return (self.source, self.metric, self.year, self.part)


def share(count: int, of: int) -> str:
    """A share from 0 to 1 with four digits."""
    return format((Decimal(count) / Decimal(of)).quantize(Decimal("0.0001")).normalize(), "f")


def quads(figures: Iterable[Measurement], ontology: Ontology) -> list[str]:
    """The sorted N-Quads lines of `graph/quality`."""
    graph = f"<{ontology.iri('graph/quality')}>"
    return sorted(f"{line} {graph} .\n" for figure in figures for line in _triples(figure, ontology))


def turtle(figures: Iterable[Measurement], ontology: Ontology) -> str:
    """The figures as Turtle."""
    text = "".join(f"{line} .\n" for figure in figures for line in _triples(figure, ontology))
    triples = [quad.triple for quad in ox.parse(text.encode(), ox.RdfFormat.N_TRIPLES)]
    prefixes = {"dhu": ontology.iri("ns#"), "dct": DCT, "dqv": DQV, "quality": ontology.iri(SCHEME)}
    prefixes |= {"xsd": _XSD, "schema": "https://schema.org/"}
    written = ox.serialize(triples, format=ox.RdfFormat.TURTLE, prefixes=prefixes)
    return (written or b"").decode()


def read(store: ox.Store, ontology: Ontology, source: str | None = None) -> list[Measurement]:
    """The figures that a release holds, of all sources or of one, in the order of the vocabulary."""
    graph = ox.NamedNode(ontology.iri("graph/quality"))
    about = ox.NamedNode(ontology.iri(f"id/source/{source}")) if source else None
    found = [
        _figure(store, quad.subject, ontology, graph)
        for quad in store.quads_for_pattern(None, ox.NamedNode(DQV + "computedOn"), about, graph)
    ]
    return sorted(found, key=lambda figure: figure.key)


def _triples(figure: Measurement, ontology: Ontology) -> Iterator[str]:
    metric = ontology.iri(SCHEME + figure.metric)
    name = "-".join(re.sub(r"[^A-Za-z0-9]+", "-", part) for part in figure.key if part)
    node = f"<{ontology.iri('id/measurement/')}{name}>"
    yield f"{node} <{RDF_TYPE}> <{DQV}QualityMeasurement>"
    yield f"{node} <{DQV}computedOn> <{ontology.iri('id/source/' + figure.source)}>"
    yield f"{node} <{DQV}isMeasurementOf> <{metric}>"
    yield f"{node} <{DQV}value> {_literal(figure.value, expected(ontology, figure.metric))}"
    if figure.part:
        yield f"{node} <{DCT}identifier> {ox.Literal(figure.part)}"
    if figure.year:
        yield f"{node} <{ontology.iri('ns#year')}> {_literal(figure.year, _XSD + 'gYear')}"
    if figure.most is not None:
        yield f"{node} <{_MOST}> {_literal(str(figure.most), _XSD + 'integer')}"
    if figure.checked:
        yield f"{node} <{DCT}date> {_literal(figure.checked, _XSD + 'dateTime')}"
    for place in figure.places:
        yield f"{node} <{DCT}spatial> <{place}>"


def expected(ontology: Ontology, metric: str) -> str:
    """The data type (IRI) of the values of a metric."""
    node = ox.NamedNode(ontology.iri(SCHEME + metric))
    for quad in ontology.store.quads_for_pattern(node, ox.NamedNode(DQV + "expectedDataType"), None, None):
        return str(getattr(quad.object, "value", ""))
    raise KeyError(metric)  # a metric that the vocabulary does not have is a fault of ours


def _literal(value: str, datatype: str) -> str:
    return str(ox.Literal(value, datatype=ox.NamedNode(datatype)))


def _figure(store: ox.Store, node: object, ontology: Ontology, graph: ox.NamedNode) -> Measurement:
    held: dict[str, list[str]] = {}
    for quad in store.quads_for_pattern(node, None, None, graph):  # type: ignore[arg-type]
        held.setdefault(quad.predicate.value, []).append(str(getattr(quad.object, "value", "")))

    def first(predicate: str) -> str:
        return next(iter(held.get(predicate, ())), "")

    return Measurement(
        first(DQV + "computedOn").removeprefix(ontology.iri("id/source/")),
        first(DQV + "isMeasurementOf").removeprefix(ontology.iri(SCHEME)),
        first(DQV + "value"),
        first(DCT + "identifier"),
        first(ontology.iri("ns#year")),
        int(first(_MOST)) if first(_MOST) else None,
        tuple(sorted(held.get(DCT + "spatial", ()))),
    )
