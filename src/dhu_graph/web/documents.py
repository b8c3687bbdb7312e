"""Linked data: `/id/…` and `/vocab/…` answer 303 to a document in the form asked for; `/ns` and `/shapes` are documents."""

import re
from collections.abc import Iterable

import pyoxigraph as ox
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from dhu_graph.errors import UnknownName
from dhu_graph.sparql import negotiate
from dhu_graph.web.views import engine_of, label, render, wants_html

router = APIRouter()
_FORMS = {
    "ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    "nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
    "jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    "rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
}
_ENDINGS = {"TURTLE": "ttl", "N_TRIPLES": "nt", "JSON_LD": "jsonld", "RDF_XML": "rdf"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9._~-]+)*")


@router.get("/id/{path:path}", summary="A resource: 303 to its page or its RDF, by Accept")
def resource(request: Request, path: str) -> Response:
    """`.html`, `.ttl`, `.nt`, `.jsonld` and `.rdf` at the end name a document directly."""
    return _thing(request, f"id/{path}")


@router.get("/vocab/{path:path}", summary="A concept or concept scheme, as /id")
def concept(request: Request, path: str) -> Response:
    """The same forms as for resources."""
    return _thing(request, f"vocab/{path}")


@router.get("/ns", summary="The ontology, as a page or as RDF by Accept")
def namespace(request: Request) -> Response:
    """Turtle, N-Triples, JSON-LD or RDF/XML."""
    ontology = engine_of(request).ontology
    if wants_html(request) and "format" not in request.query_params:
        here = ontology.iri("ns#")
        terms: dict[str, list[tuple[str, str, str]]] = {"Classes": [], "Properties": []}
        for iri in ontology.terms():
            name = iri.removeprefix(here)
            terms["Classes" if name[0].isupper() else "Properties"].append(
                (name, ontology.label(iri), ontology.comment(iri))
            )
        return render(request, "ns.html", terms=terms, here=here)
    graph = ox.NamedNode(ontology.iri("graph/ontology"))
    return _rdf(request, ontology.store.quads_for_pattern(None, None, None, graph))


@router.get("/shapes", summary="The SHACL shapes, as Turtle")
def shapes(request: Request) -> Response:
    """What a record must give to enter the graph."""
    return Response(engine_of(request).ontology.shapes, media_type="text/turtle")


def _thing(request: Request, path: str) -> Response:
    engine = engine_of(request)
    name, dot, ending = path.rpartition(".")
    direct = bool(dot) and (ending in _FORMS or ending == "html")
    name = name if direct else path
    if not _NAME.fullmatch(name) or ".." in name:
        raise UnknownName(f"There is no resource {path[:200]}.", "Check the address.")
    iri = engine.settings.base + name
    with engine.reading() as opened:
        etag = f'"{opened.release.number}-{ending if direct else "x"}"'
        quads = opened.resources.quads(iri)
        if not direct:
            form = (
                "html"
                if wants_html(request)
                else _ENDINGS[negotiate("DESCRIBE", request.headers.get("accept")).serializer]
            )
            return RedirectResponse(f"/{name}.{form}", 303, headers={"Vary": "Accept"})
        links = ", ".join(
            [
                f'<{iri}>; rel="describes"',
                *(f'</{name}.{e}>; rel="alternate"; type="{t}"' for e, (t, _) in _FORMS.items()),
            ]
        )
        headers = {"Link": links, "ETag": etag, "Cache-Control": "public, max-age=60"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if ending == "html":
            found = opened.resources.get(iri)
            return render(
                request,
                "resource.html",
                headers=headers,
                resource=found,
                name=name,
                kind=label(engine, "kind", found.kind) if found.kind else "",
            )
        media_type, format = _FORMS[ending]
        return Response(_serialised(request, quads, format), media_type=media_type, headers=headers)


def _rdf(request: Request, quads: Iterable[ox.Quad]) -> Response:
    choice = negotiate("DESCRIBE", request.headers.get("accept"), request.query_params.get("format"))
    format = getattr(ox.RdfFormat, choice.serializer)
    return Response(
        _serialised(request, quads, format), media_type=choice.media_type, headers={"Vary": "Accept"}
    )


def _serialised(request: Request, quads: Iterable[ox.Quad], format: ox.RdfFormat) -> bytes:
    triples = {quad.triple for quad in quads}
    prefixes = engine_of(request).ontology.prefixes
    return ox.serialize(sorted(triples, key=str), format=format, prefixes=prefixes) or b""
