"""`/api`: search, similar and resources as JSON, and `/health`."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Query, Request

from dhu_graph.engine import Engine
from dhu_graph.errors import UsageError
from dhu_graph.model import FILTER_COLUMNS, Filter, Hit
from dhu_graph.web.views import engine_of, label, labels, local

router = APIRouter()
_OTHER = {"q", "limit", "offset", "iri"}


@router.get("/api/search", summary="Search by meaning, in plain words, in any EU language")
def search(
    request: Request,
    q: str = Query("", description="What you look for."),
    limit: int = Query(10, ge=1, le=100),
    offset: int = Query(0, ge=0, le=10_000),
) -> dict[str, Any]:
    """Filters are repeatable and take codes or names: country, theme, kind, technology, maturity, target, year, language, source.

    `total` counts the documents that pass the filters: each of them has a place in the ranking.
    """
    engine = engine_of(request)
    chosen = filter_of(request, engine)
    with engine.reading() as opened:
        hits = opened.searcher.search(q, chosen, limit, offset)
        total, facets = opened.searcher.count(chosen), opened.searcher.facets(chosen)
        number = opened.release.number
    return {
        "query": q,
        "release": number,
        "total": total,
        "hits": [_hit(engine, hit) for hit in hits],
        "facets": {
            column: [{"value": v, "label": label(engine, column, v), "count": n} for v, n in counts.items()]
            for column, counts in facets.items()
        },
    }


@router.get("/api/similar", summary="What is most like a resource")
def similar(
    request: Request,
    iri: str = Query(description="An IRI, or kind/slug."),
    limit: int = Query(10, ge=1, le=100),
) -> dict[str, Any]:
    """The same filters as for search."""
    engine = engine_of(request)
    hits = engine.similar(iri, filter_of(request, engine), limit)
    return {"iri": engine.iri(iri), "hits": [_hit(engine, hit) for hit in hits]}


@router.get("/api/resources/{kind}/{slug}", summary="One resource, with labels, parts and who points to it")
def resource(request: Request, kind: str, slug: str) -> dict[str, Any]:
    """What its page shows, as JSON; RDF is under /id."""
    return asdict(engine_of(request).show(f"{kind}/{slug}"))


@router.get("/health", summary="Whether a release is served, and which")
def health(request: Request) -> dict[str, Any]:
    """503 where nothing is served."""
    with engine_of(request).reading() as opened:
        manifest = opened.release.manifest
        return {
            "status": "ok",
            "release": opened.release.number,
            "created": manifest["created"],
            "quads": manifest["quads"],
            "documents": manifest["index"]["documents"],
            "sources": {name: about["records"] for name, about in manifest["sources"].items()},
            "model": (manifest["index"].get("model") or {}).get("name"),
        }


def filter_of(request: Request, engine: Engine, others: set[str] | frozenset[str] = frozenset()) -> Filter:
    """The filter that the parameters of the address ask for; empty ones do not narrow. Raises UsageError."""
    unknown = sorted(set(request.query_params) - set(FILTER_COLUMNS) - _OTHER - others)
    if unknown:
        raise UsageError(
            f"There is no parameter {', '.join(unknown)}.", f"Filters: {', '.join(FILTER_COLUMNS)}."
        )
    return engine.filter(**{c: [v for v in request.query_params.getlist(c) if v] for c in FILTER_COLUMNS})


def _hit(engine: Engine, hit: Hit) -> dict[str, Any]:
    document = hit.document
    return {
        "iri": document.iri,
        "url": local(document.iri, engine.settings.base),
        "kind": document.kind,
        "title": document.title,
        "summary": document.summary,
        "passage": hit.passage,
        "language": document.language,
        "score": round(hit.score, 6),
        "parts": {name: round(value, 6) for name, value in hit.parts.items()},
        "filters": {column: list(values) for column, values in document.filters.items()},
        "countries": labels(engine, document, "country"),
        "themes": labels(engine, document, "theme"),
    }
