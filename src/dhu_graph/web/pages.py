"""The pages for people: search, and what there is to call."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from dhu_graph.engine import Engine
from dhu_graph.model import FILTER_COLUMNS, Hit
from dhu_graph.web.api import filter_of
from dhu_graph.web.views import engine_of, label, labels, local, render

router = APIRouter()
_PAGE = 10
_SHOWN = ("country", "theme", "kind")
_EXAMPLES = (
    ("en", "telemonitoring for people with heart failure"),
    ("de", "Videosprechstunde auf dem Land"),
    ("fr", "ordonnance électronique à l'étranger"),
    ("el", "τηλεϊατρική στα νησιά"),
    ("pl", "opieka nad osobami starszymi w domu"),
    ("fi", "potilaan pääsy omiin terveystietoihin"),
)


@router.get("/", summary="The search page")
def home(request: Request, q: str = Query(""), page: int = Query(1, ge=1, le=1000)) -> Response:
    """The same filters as /api/search."""
    engine = engine_of(request)
    chosen = filter_of(request, engine, {"page"})
    question = q.strip()
    with engine.reading() as opened:
        every = opened.searcher.facets()
        number, total = opened.release.number, opened.searcher.count(chosen)
        hits = (
            opened.searcher.search(question, chosen, _PAGE, (page - 1) * _PAGE) if question and total else []
        )
        known = opened.searcher.count()
    given = [(c, v) for c in FILTER_COLUMNS for v in sorted(chosen.columns.get(c, ()))]
    return render(
        request,
        "search.html",
        q=question,
        hits=[_shown(engine, hit) for hit in hits],
        selects=[
            _select(engine, column, every.get(column, {}), chosen.columns.get(column, frozenset()))
            for column in _SHOWN
        ],
        others=[(c, v) for c, v in given if c not in _SHOWN],
        total=total,
        known=known,
        release=number,
        first=(page - 1) * _PAGE + 1,
        previous=_address(question, given, page - 1) if page > 1 else "",
        following=_address(question, given, page + 1) if len(hits) == _PAGE and page * _PAGE < total else "",
        examples=[(language, text, "/?" + urlencode({"q": text})) for language, text in _EXAMPLES],
    )


@router.get("/docs", summary="What there is to call")
def docs(request: Request) -> Response:
    """A page made from the OpenAPI description."""
    paths = request.app.openapi()["paths"]
    calls = [
        (method.upper(), path, about.get("summary", ""), about.get("description", ""))
        for path, methods in sorted(paths.items())
        for method, about in methods.items()
    ]
    return render(request, "docs.html", calls=calls)


def _shown(engine: Engine, hit: Hit) -> dict[str, Any]:
    document = hit.document
    return {
        "title": document.title,
        "language": document.language,
        "url": local(document.iri, engine.settings.base),
        "passage": _passage(hit),
        "kind": label(engine, "kind", document.kind),
        "countries": labels(engine, document, "country"),
        "themes": labels(engine, document, "theme"),
        "maturity": labels(engine, document, "maturity"),
        "year": document.filters.get("year", ()),
        "source": document.filters.get("source", ()),
    }


def _passage(hit: Hit) -> str:
    """The passage without the title that stands above it; the beginning of the summary where little is left."""
    passage = hit.passage.removeprefix(hit.document.title).strip(" .\n")
    if len(passage) >= 60:
        return passage + "."
    summary = hit.document.summary
    return summary if len(summary) <= 320 else summary[:320].rsplit(" ", 1)[0] + " …"


def _select(engine: Engine, column: str, counts: dict[str, int], chosen: frozenset[str]) -> dict[str, Any]:
    options = [
        (value, label(engine, column, value), count, value in chosen) for value, count in counts.items()
    ]
    return {"column": column, "options": sorted(options, key=lambda option: option[1])}


def _address(question: str, given: list[tuple[str, str]], page: int) -> str:
    return "/?" + urlencode([("q", question), *given, ("page", str(page))])
