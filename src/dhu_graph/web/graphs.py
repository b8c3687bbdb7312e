"""`/graph/…`: the named graphs, one per source and for ontology, vocabularies and whatever else a release holds."""

import json
import re

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from dhu_graph.errors import QueryTooLarge, UnknownName
from dhu_graph.web import rdf
from dhu_graph.web.answers import answered
from dhu_graph.web.documents import links
from dhu_graph.web.views import engine_of, render, wants_html

router = APIRouter()
_PATH = re.compile(r"([a-z0-9][a-z0-9-]*?)(?:\.(html|ttl|nt|jsonld|rdf))?")


@router.get("/graph/{path}", summary="A named graph: 303 to its page or to all its statements, by Accept")
def graph(request: Request, path: str) -> Response:
    """The same forms as for resources."""
    parsed = _PATH.fullmatch(path)
    if parsed is None or parsed[1] not in names(request):
        raise UnknownName(f"There is no graph {path[:200]}.", f"Graphs: {', '.join(names(request))}.")
    name, ending = parsed.groups()
    if ending is None:
        form = "html" if wants_html(request) else rdf.ending(request)
        return RedirectResponse(f"/graph/{name}.{form}", 303, {"Vary": "Accept", "Cache-Control": "no-cache"})
    engine = engine_of(request)
    iri = engine.ontology.iri(f"graph/{name}")
    with engine.reading() as opened:
        manifest, number = opened.release.manifest, opened.release.number
        headers, unchanged = rdf.kept(
            request, rdf.tag(opened, f"graph/{path}"), {"Link": links(iri, f"graph/{name}")}
        )
    if unchanged:
        return unchanged
    if ending == "html":
        source = manifest["sources"].get(name)
        return render(
            request, "graph.html", headers=headers, name=name, iri=iri, source=source, release=number
        )
    media_type, _ = rdf.FORMS[ending]
    whole = f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH <{iri}> {{ ?s ?p ?o }} }}"
    try:
        return answered(request, whole, media_type, headers=headers)
    except QueryTooLarge as error:
        raise QueryTooLarge(
            f"The graph is too large to be sent at once: {error.detail}",
            "Take it in parts by SPARQL, or whole by `dhu export`.",
        ) from None


def names(request: Request) -> list[str]:
    """The last steps of the IRIs of all named graphs of the release, sorted."""
    engine = engine_of(request)
    with engine.reading() as opened:
        key = (opened.release.number, opened.release.manifest["digest"])
        held: tuple[object, list[str]] | None = getattr(request.app.state, "graphs", None)
        if held and held[0] == key:
            return held[1]
        with opened.pool.query("SELECT ?g { GRAPH ?g {} }", format="json") as answer:
            rows = json.loads(answer.read())["results"]["bindings"]
    start = engine.ontology.iri("graph/")
    found = sorted(
        row["g"]["value"].removeprefix(start) for row in rows if row["g"]["value"].startswith(start)
    )
    request.app.state.graphs = (key, found)
    return found
