"""`/sparql`: the SPARQL 1.1 Protocol for queries; without one, a page for browsers or the Service Description."""

from typing import ClassVar
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from dhu_graph import queries
from dhu_graph.errors import QueryRejected, UsageError
from dhu_graph.web.answers import answered
from dhu_graph.web.description import described
from dhu_graph.web.views import engine_of, render, wants_html

router = APIRouter()
_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FIRST = """SELECT ?resource ?title WHERE {
  ?resource a dhu:GoodPractice ; dct:title ?title ; dct:spatial country:GRC .
}
ORDER BY ?title
LIMIT 20"""


class ReadOnly(QueryRejected):
    """An update was sent; this service only reads."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Updates are not accepted"


class NotUnderstood(UsageError):
    """The body is of a type that is not understood here."""

    status: ClassVar[int] = 415
    title: ClassVar[str] = "The content type is not understood"


@router.get("/sparql", summary="Ask by GET; without a query, a page or the Service Description")
def get(request: Request) -> Response:
    """`query`, `default-graph-uri`, `named-graph-uri`, and `format` in place of an Accept header."""
    values = _values(request.url.query)
    if "query" in values or "update" in values:
        return _answer(request, values)
    if wants_html(request):
        return _page(request, values.get("example", [""])[0])
    return described(request)


@router.post("/sparql", summary="Ask by POST, as a form or as application/sparql-query")
async def post(request: Request) -> Response:
    """The same as by GET, for long queries."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    values = _values(request.url.query)
    if kind == _UPDATE:
        raise _read_only()
    if kind not in (_QUERY, _FORM):
        raise NotUnderstood(
            f"The content type {kind[:80]!r} is not understood.", f"Send {_FORM} or {_QUERY}."
        )
    body = _text(await request.body())
    if kind == _QUERY:
        values["query"] = [*values.get("query", []), body]
    else:
        for name, given in _values(body).items():
            values[name] = [*values.get(name, []), *given]
    return await run_in_threadpool(_answer, request, values)


def _answer(request: Request, values: dict[str, list[str]]) -> Response:
    if "update" in values:
        raise _read_only()
    given = values.get("query", [])
    if len(given) != 1:
        raise UsageError(f"{len(given) or 'No'} queries were sent.", "Send exactly one `query`.")
    format = next(iter(values.get("format", [])), "")
    return answered(request, given[0], format, values.get("default-graph-uri"), values.get("named-graph-uri"))


def _page(request: Request, example: str) -> Response:
    engine = engine_of(request)
    library = engine.queries()
    text = _FIRST
    if example:
        query = queries.load(example, engine.ontology)
        text = query.bind({p.name: p.example for p in query.parameters}, engine.ontology)
        text = "\n".join(line for line in text.splitlines() if not line.startswith("#+"))
    return render(
        request, "sparql.html", queries=library, text=text, prefixes=sorted(engine.ontology.prefixes.items())
    )


def _values(encoded: str) -> dict[str, list[str]]:
    try:
        return parse_qs(encoded, keep_blank_values=True, errors="strict", max_num_fields=1_000)
    except ValueError as error:
        raise UsageError(
            f"The parameters cannot be read: {error}.", "Send them percent-encoded, in UTF-8."
        ) from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise UsageError("The request is not valid UTF-8.", "Send UTF-8.") from None


def _read_only() -> ReadOnly:
    return ReadOnly("This service only reads.", "New data comes in by `dhu ingest` and `dhu build`.")
