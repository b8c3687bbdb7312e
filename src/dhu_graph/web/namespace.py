"""`/ns` and `/shapes`: the ontology and the shapes that this installation works by."""

import pyoxigraph as ox
from fastapi import APIRouter, Request, Response

from dhu_graph import assets
from dhu_graph.ontology import rebased
from dhu_graph.sparql import negotiate
from dhu_graph.web import rdf
from dhu_graph.web.views import engine_of, render, wants_html

router = APIRouter()


@router.get("/ns", summary="The ontology, as a page or as RDF by Accept")
def namespace(request: Request) -> Response:
    """Turtle, N-Triples, JSON-LD or RDF/XML; also by `format=`."""
    ontology = engine_of(request).ontology
    page = wants_html(request) and "format" not in request.query_params
    if page:
        headers, unchanged = rdf.kept(request, rdf.plain_tag(f"html {ontology.fingerprint}"))
        return unchanged or _page(request, headers)
    choice = negotiate("DESCRIBE", request.headers.get("accept"), request.query_params.get("format"))
    headers, unchanged = rdf.kept(request, rdf.plain_tag(f"{choice.media_type} {ontology.fingerprint}"))
    if unchanged:
        return unchanged
    if choice.serializer == "TURTLE":
        # As it was written, in its order and with its remarks.
        body = rebased(assets.folder("ontology") / "dhu.ttl", ontology.base).encode()
    else:
        graph = ox.NamedNode(ontology.iri("graph/ontology"))
        quads = ontology.store.quads_for_pattern(None, None, None, graph)
        body = rdf.written(quads, getattr(ox.RdfFormat, choice.serializer), ontology.prefixes)
    return Response(body, media_type=choice.media_type, headers=headers)


@router.get("/shapes", summary="The SHACL shapes, as Turtle")
def shapes(request: Request) -> Response:
    """What a record must give to enter the graph."""
    ontology = engine_of(request).ontology
    headers, unchanged = rdf.kept(request, rdf.plain_tag(f"shapes {ontology.fingerprint}"))
    return unchanged or Response(ontology.shapes, media_type="text/turtle", headers=headers)


def _page(request: Request, headers: dict[str, str]) -> Response:
    ontology = engine_of(request).ontology
    here = ontology.iri("ns#")
    terms: dict[str, list[tuple[str, str, str]]] = {"Classes": [], "Properties": []}
    for iri in ontology.terms():
        name = iri.removeprefix(here)
        group = "Classes" if name[0].isupper() else "Properties"
        terms[group].append((name, ontology.label(iri), ontology.comment(iri)))
    return render(request, "ns.html", headers=headers, terms=terms, here=here)
