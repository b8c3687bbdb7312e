"""What pages share: templates, links inside the radar, and whether a client is a browser."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates

from dhu_graph.engine import Engine
from dhu_graph.model import Document

_templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


def engine_of(request: Request) -> Engine:
    """The engine that the application serves."""
    engine: Engine = request.app.state.engine
    return engine


def wants_html(request: Request) -> bool:
    """Whether the client prefers a page: it names HTML and no RDF or JSON before it."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and not accept.strip().startswith(
        ("application/json", "text/turtle", "application/ld")
    )


def local(iri: str, base: str) -> str:
    """Where a link leads: IRIs of this radar to this server, web addresses to themselves, anything else nowhere."""
    if iri.startswith(base):
        return "/" + quote(iri[len(base) :], safe="/#-._~")
    return iri if iri.startswith(("http://", "https://")) else ""


def labels(engine: Engine, document: Document, column: str) -> list[str]:
    """The values of a filter column in words."""
    return [label(engine, column, value) for value in document.filters.get(column, ())]


def label(engine: Engine, column: str, value: str) -> str:
    """One value of a filter column in words: `GRC` → `Greece`."""
    if column == "kind":
        iri = next((i for i, kind in engine.ontology.kinds.items() if kind == value), "")
    else:
        iri = engine.concept(column, value) or ""
    return engine.ontology.label(iri) if iri else value


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """A page from a template."""
    engine = engine_of(request)
    base = engine.settings.base
    values |= {"link": lambda iri: local(iri, base), "base": base}
    return _templates.TemplateResponse(
        request, template, values, status_code=status, headers={"Vary": "Accept", **(headers or {})}
    )
