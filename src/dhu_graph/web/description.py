"""The Service Description of /sparql (https://www.w3.org/TR/sparql11-service-description/)."""

from collections.abc import Iterator

import pyoxigraph as ox
from fastapi import Request, Response

from dhu_graph.errors import UsageError
from dhu_graph.ontology import RDF_TYPE
from dhu_graph.sparql import negotiate
from dhu_graph.web.graphs import names
from dhu_graph.web.views import engine_of

_SD = "http://www.w3.org/ns/sparql-service-description#"
_FORMATS = "http://www.w3.org/ns/formats/"
_WRITTEN = (
    *("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV"),
    *("Turtle", "N-Triples", "JSON-LD", "RDF_XML"),
)


def described(request: Request) -> Response:
    """The description as RDF, in the form asked for; Turtle for those who accept anything."""
    choice = negotiate("DESCRIBE", request.headers.get("accept"), request.query_params.get("format"))
    engine = engine_of(request)
    try:
        endpoint = ox.NamedNode(f"{str(request.base_url).rstrip('/')}/sparql")
    except ValueError:
        raise UsageError(
            "The Host header is not the name of a host.", "Send the address of this server."
        ) from None
    text = ox.serialize(
        _triples(endpoint, engine.settings.base, names(request)),
        format=getattr(ox.RdfFormat, choice.serializer),
        prefixes={"sd": _SD, "formats": _FORMATS},
    )
    return Response(text, media_type=choice.media_type, headers={"Vary": "Accept"})


def _triples(endpoint: ox.NamedNode, base: str, graphs: list[str]) -> Iterator[ox.Triple]:
    def sd(name: str) -> ox.NamedNode:
        return ox.NamedNode(_SD + name)

    kind = ox.NamedNode(RDF_TYPE)
    dataset, union = ox.BlankNode("dataset"), ox.BlankNode("union")
    yield ox.Triple(endpoint, kind, sd("Service"))
    yield ox.Triple(endpoint, sd("endpoint"), endpoint)
    yield ox.Triple(endpoint, sd("supportedLanguage"), sd("SPARQL11Query"))
    yield ox.Triple(endpoint, sd("feature"), sd("UnionDefaultGraph"))
    for name in _WRITTEN:
        yield ox.Triple(endpoint, sd("resultFormat"), ox.NamedNode(_FORMATS + name))
    yield ox.Triple(endpoint, sd("defaultDataset"), dataset)
    yield ox.Triple(dataset, kind, sd("Dataset"))
    yield ox.Triple(dataset, sd("defaultGraph"), union)
    yield ox.Triple(union, kind, sd("Graph"))
    for number, name in enumerate(graphs):
        graph = ox.BlankNode(f"graph{number}")
        yield ox.Triple(dataset, sd("namedGraph"), graph)
        yield ox.Triple(graph, kind, sd("NamedGraph"))
        yield ox.Triple(graph, sd("name"), ox.NamedNode(f"{base}graph/{name}"))
