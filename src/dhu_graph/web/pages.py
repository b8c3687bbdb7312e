"""The pages for people: search, and what there is to call."""

import inspect
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from dhu_graph.engine import Engine, Opened
from dhu_graph.errors import DhuError
from dhu_graph.model import FILTER_COLUMNS, Filter, Hit
from dhu_graph.web import errors, parameters
from dhu_graph.web.shown import shown
from dhu_graph.web.views import engine_of, label, render

router = APIRouter()
_PAGE = 10
_SELECTS = ("country", "theme", "kind")
_EXAMPLES = (
    ("en", "telemonitoring for people with heart failure"),
    ("de", "Videosprechstunde auf dem Land"),
    ("fr", "ordonnance électronique à l'étranger"),
    ("el", "τηλεϊατρική στα νησιά"),
    ("pl", "opieka nad osobami starszymi w domu"),
    ("fi", "potilaan pääsy omiin terveystietoihin"),
)


@router.get("/", summary="The search page")
def home(request: Request, asked: Annotated[parameters.Page, Query()]) -> Response:
    """Parameters as for /api/search, and `page`. With filters alone it lists what passes them."""
    engine = engine_of(request)
    chosen = parameters.filter_of(engine, asked)
    question, page = " ".join(asked.q.split()), asked.page
    with engine.reading() as opened:
        answer = opened.searcher.answer(question, chosen, _PAGE + 1, (page - 1) * _PAGE) if question else None
        hits = answer.hits if answer else _listed(opened, chosen, (page - 1) * _PAGE)
        total, known = opened.searcher.count(chosen), opened.searcher.count()
        selects = [_select(engine, opened, column, chosen) for column in _SELECTS]
        number = opened.release.number
        named = [name for name in answer.question.named if not name.hint] if answer else []
    given = [(column, value) for column in FILTER_COLUMNS for value in sorted(chosen.columns.get(column, ()))]
    others = [
        {
            "column": column,
            "value": value,
            "label": label(engine, column, value),
            "without": _address(question, [pair for pair in given if pair != (column, value)]),
        }
        for column, value in given
        if column not in _SELECTS or len(chosen.columns[column]) > 1
    ]
    offered = [
        {
            "column": name.column,
            "label": label(engine, name.column, name.value),
            "url": _address(question, sorted({*given, (name.column, name.value)})),
        }
        for name in named
        if (name.column, name.value) not in given
    ]
    return render(
        request,
        "search.html",
        q=question,
        offered=offered,
        good=answer is None or answer.good,
        longest=parameters.LONGEST_QUESTION,
        asked=bool(question or chosen),
        hits=[shown(engine, hit) for hit in hits[:_PAGE]],
        selects=selects,
        others=others,
        total=total,
        known=known,
        release=number,
        page=page,
        first=(page - 1) * _PAGE + 1,
        previous=_address(question, given, page - 1) if page > 1 else "",
        following=_address(question, given, page + 1) if len(hits) > _PAGE else "",
        unfiltered=_address(question, []),
        examples=[(language, text, _address(text, [])) for language, text in _EXAMPLES],
    )


@router.get("/docs", summary="What there is to call")
def docs(request: Request) -> Response:
    """A page made from the OpenAPI description."""
    paths = request.app.openapi()["paths"]
    calls = [
        (method.upper(), path, about.get("summary", ""), about.get("description", ""))
        for path, methods in paths.items()
        for method, about in methods.items()
    ]
    faults = [
        (errors.slug(kind), kind.title, kind.status, (inspect.getdoc(kind) or "").split("\n")[0])
        for kind in errors.kinds(DhuError)
    ]
    return render(request, "docs.html", calls=calls, faults=faults)


def _listed(opened: Opened, chosen: Filter, offset: int) -> list[Hit]:
    """What passes the filters, without a question: one more than a page shows, to know whether there is another."""
    if not chosen:
        return []
    documents = opened.index.documents
    rows = documents.rows(chosen)[offset : offset + _PAGE + 1]
    found = [documents.get(int(row)) for row in rows]
    return [Hit(document, 0.0, document.summary) for document in found]


def _select(engine: Engine, opened: Opened, column: str, chosen: Filter) -> dict[str, Any]:
    """A choice with counts: how many there would be with this value and the other filters as they are."""
    picked = chosen.columns.get(column, frozenset())
    others = Filter({name: values for name, values in chosen.columns.items() if name != column})
    counts = opened.searcher.facets(others)[column]
    for value in picked:
        counts.setdefault(value, 0)
    options = [
        (value, label(engine, column, value), count, picked == {value}) for value, count in counts.items()
    ]
    return {"column": column, "options": sorted(options, key=lambda option: option[1].casefold())}


def _address(question: str, given: list[tuple[str, str]], page: int = 1) -> str:
    pairs = [("q", question)] if question else []
    return "/?" + urlencode([*pairs, *given, *([("page", str(page))] if page > 1 else [])])
