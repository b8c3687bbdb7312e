"""Linked data: `/id/…` and `/vocab/…` answer 303 to a document in the form asked for."""

import re
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from dhu_graph import quality
from dhu_graph.engine import Engine, Opened
from dhu_graph.errors import Replaced, UnknownName
from dhu_graph.quality import table
from dhu_graph.resources import Resource
from dhu_graph.web import rdf
from dhu_graph.web.shown import shown
from dhu_graph.web.views import engine_of, label, render, wants_html

router = APIRouter()
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~%-]*(/[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*)*")
_AS_OF = "ns#asOf"
_TITLE = "http://purl.org/dc/terms/title"
_ALIKE = 5
"""Similar resources named on a page."""


@router.get(
    "/id/{path:path}", summary="A resource, source, record or part: 303 to its page or its RDF, by Accept"
)
def resource(request: Request, path: str) -> Response:
    """`.html`, `.ttl`, `.nt`, `.jsonld` and `.rdf` at the end name a document directly."""
    return _thing(request, f"id/{path}")


@router.get("/vocab/{path:path}", summary="A concept or a concept scheme, as /id")
def concept(request: Request, path: str) -> Response:
    """The same forms as for resources."""
    return _thing(request, f"vocab/{path}")


def _thing(request: Request, path: str) -> Response:
    engine = engine_of(request)
    name, dot, ending = path.rpartition(".")
    direct = bool(dot) and (ending in rdf.FORMS or ending == "html")
    if not direct:
        name, ending = path, ""
    if not _NAME.fullmatch(name) or "/../" in f"/{name}/":
        raise UnknownName(f"There is no resource {path[:200]}.", "Search for it, or check the address.")
    iri = engine.settings.base + name
    with engine.reading() as opened:
        try:
            quads = opened.resources.quads(iri)
        except Replaced as moved:
            there = "/" + quote(moved.successor.removeprefix(engine.settings.base).partition("#")[0])
            return RedirectResponse(
                there + (f".{ending}" if direct else ""), 301, {"Cache-Control": "no-cache"}
            )
        if not direct:
            form = "html" if wants_html(request) else rdf.ending(request)
            headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
            return RedirectResponse(f"/{quote(name)}.{form}", 303, headers)
        headers, unchanged = rdf.kept(request, rdf.tag(opened, path), {"Link": links(iri, name)})
        if unchanged:
            return unchanged
        if ending == "html":
            return _page(request, engine, opened, name, opened.resources.get(iri), headers)
        media_type, format = rdf.FORMS[ending]
        body = rdf.written(quads, format, engine.ontology.prefixes)
        return Response(body, media_type=media_type, headers=headers)


def links(iri: str, name: str) -> str:
    """The Link header of a document: what it describes, and its other forms."""
    forms = {"html": "text/html"} | {ending: media_type for ending, (media_type, _) in rdf.FORMS.items()}
    others = (f'</{quote(name)}.{ending}>; rel="alternate"; type="{form}"' for ending, form in forms.items())
    return ", ".join([f'<{iri}>; rel="describes"', *others])


def _page(
    request: Request, engine: Engine, opened: Opened, name: str, found: Resource, headers: dict[str, str]
) -> Response:
    first = {s.property: s.values for s in reversed(found.statements) if not s.inverse}
    as_of = sorted(value.text for value in first.get(engine.ontology.iri(_AS_OF), ()))
    return render(
        request,
        "resource.html",
        headers=headers,
        resource=found,
        name=name,
        kind=label(engine, "kind", found.kind) if found.kind else "",
        language=next((value.language for value in first.get(_TITLE, ())), ""),
        as_of=as_of[-1] if as_of else "",
        alike=_alike(engine, opened, found.iri),
        quality=_quality(engine, opened, found),
        release=opened.release.number,
    )


def _quality(engine: Engine, opened: Opened, found: Resource) -> list[dict[str, object]]:
    """The quality report of a source, of what the release holds; nothing for anything else."""
    if found.kind != "source":
        return []
    source = found.iri.rsplit("/", 1)[-1]
    return table.rows(quality.read(opened.resources.store, engine.ontology, source), engine.ontology)


def _alike(engine: Engine, opened: Opened, iri: str) -> list[dict[str, object]]:
    """What is most like it; nothing for what no search finds (records, sources, concepts)."""
    try:
        return [shown(engine, hit) for hit in opened.searcher.similar(iri, limit=_ALIKE)]
    except UnknownName:
        return []
