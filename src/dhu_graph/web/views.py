"""What pages share: templates, links inside the radar, words for codes, and whether a client is a browser."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from dhu_graph.engine import Engine
from dhu_graph.model import Document
from dhu_graph.web.negotiation import wants_page

LANGUAGES = "http://publications.europa.eu/resource/authority/language"

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _coded(text: str) -> Markup:
    """A text of ours with its `words in backticks` as code."""
    plain, *rest = text.split("`")
    parts = [escape(plain)]
    for place, piece in enumerate(rest):
        parts.append(Markup("<code>{}</code>").format(piece) if place % 2 == 0 else escape(piece))
    return Markup("").join(parts)


_templates.filters["coded"] = _coded


def engine_of(request: Request) -> Engine:
    """The engine that the application serves."""
    engine: Engine = request.app.state.engine
    return engine


def wants_html(request: Request) -> bool:
    """Whether the client prefers a page."""
    return wants_page(request.headers.get("accept"))


def local(iri: str, base: str) -> str:
    """Where a link leads: IRIs of this radar to this server, web addresses to themselves, anything else nowhere."""
    if iri.startswith(base):
        return "/" + quote(iri[len(base) :].lstrip("/"), safe="/#-._~%")
    return iri if iri.startswith(("http://", "https://")) else ""


def labels(engine: Engine, document: Document, column: str) -> list[str]:
    """The values of a filter column in words."""
    return [label(engine, column, value) for value in document.filters.get(column, ())]


def label(engine: Engine, column: str, value: str) -> str:
    """One value of a filter column in words: `GRC` → `Greece`."""
    if column == "kind":
        iri = next((i for i, kind in engine.ontology.kinds.items() if kind == value), "")
    elif column == "language":
        iri = engine.ontology.concept(LANGUAGES, value) or ""
    else:
        iri = engine.concept(column, value) or ""
    return engine.ontology.label(iri) if iri else value


def origins(engine: Engine, document: Document) -> list[tuple[str, str, str]]:
    """(name, title, address of the licence) of the sources that a document comes from."""
    found = []
    for name in document.filters.get("source", ()):
        source = engine.source(name)
        found.append((name, source.title if source else name, str(source.licence or "") if source else ""))
    return found


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page from a template."""
    base = engine_of(request).settings.base
    page = _templates.get_template(template).render(link=lambda iri: local(iri, base), base=base, **values)
    return HTMLResponse(page, status, {"Vary": "Accept", **(headers or {})})
