"""`/sparql`: the SPARQL 1.1 Protocol for queries, a page for browsers, a Service Description for clients; and the query library."""

from collections.abc import Iterator
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from dhu_graph import queries
from dhu_graph.errors import BadInput, QueryRejected, UsageError
from dhu_graph.sparql import Answer
from dhu_graph.web.views import engine_of, render, wants_html

router = APIRouter()
_FORM = "application/x-www-form-urlencoded"
_QUERY = "application/sparql-query"
_RESULTS = ("SPARQL_Results_JSON", "SPARQL_Results_XML", "SPARQL_Results_CSV", "SPARQL_Results_TSV")
_GRAPHS = ("Turtle", "N-Triples", "JSON-LD", "RDF_XML")


@router.get("/sparql", summary="Ask by GET; without a query, a page or the Service Description")
async def get(request: Request) -> Response:
    """`query`, `default-graph-uri`, `named-graph-uri`, and `format` in place of an Accept header."""
    values = parse_qs(request.url.query, keep_blank_values=True)
    if "update" in values:
        raise QueryRejected("Updates are not accepted here.", "This endpoint only reads.")
    if not any(values.get("query", [])):
        return (
            render(request, "sparql.html", queries=engine_of(request).queries())
            if wants_html(request)
            else _description(request)
        )
    return await run_in_threadpool(_answered, request, values)


@router.post("/sparql", summary="Ask by POST, as a form or as application/sparql-query")
async def post(request: Request) -> Response:
    """The same as by GET, for long queries."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await _body(request, engine_of(request).settings.sparql_length * 12)
    values = parse_qs(request.url.query)
    if kind == _QUERY:
        values["query"] = [_text(body)]
    elif kind == _FORM:
        for name, given in parse_qs(_text(body), keep_blank_values=True).items():
            values[name] = [*values.get(name, []), *given]
    else:
        raise UsageError(f"The content type {kind[:80]!r} is not understood.", f"Send {_FORM} or {_QUERY}.")
    if "update" in values:
        raise QueryRejected("Updates are not accepted here.", "This endpoint only reads.")
    return await run_in_threadpool(_answered, request, values)


@router.get("/api/queries", summary="The query library")
def library(request: Request) -> list[dict[str, object]]:
    """Name, summary, description and parameters of each query."""
    return [
        {
            "name": q.name,
            "summary": q.summary,
            "description": q.description,
            "url": f"/api/queries/{q.name}",
            "parameters": [
                {"name": p.name, "description": p.description, "example": p.example} for p in q.parameters
            ],
        }
        for q in engine_of(request).queries()
    ]


@router.get("/api/queries/{name}", summary="Run a query of the library")
def named(request: Request, name: str) -> Response:
    """Parameters of the query as parameters of the address, and `format` as for /sparql."""
    given = dict(request.query_params)
    format = given.pop("format", None)
    engine = engine_of(request)
    text = queries.load(name, engine.ontology).bind(given, engine.ontology)
    return _streamed(engine.answer(text, _accept(request), format))


def _answered(request: Request, values: dict[str, list[str]]) -> Response:
    given = values.get("query", [])
    if len(given) != 1:
        raise UsageError(f"{len(given)} queries were sent.", "Send exactly one `query`.")
    format = (values.get("format") or [""])[0] or None
    answer = engine_of(request).answer(
        given[0], _accept(request), format, values.get("default-graph-uri"), values.get("named-graph-uri")
    )
    return _streamed(answer)


def _accept(request: Request) -> str | None:
    accept = request.headers.get("accept")
    # A browser that follows a link or sends the form accepts anything after HTML; JSON is what people can read.
    return None if accept and "text/html" in accept else accept


def _streamed(answer: Answer) -> StreamingResponse:
    def blocks() -> Iterator[bytes]:
        with answer:
            yield from answer

    headers = {"Content-Length": str(answer.size), "Vary": "Accept"}
    return StreamingResponse(blocks(), media_type=answer.media_type, headers=headers)


async def _body(request: Request, limit: int) -> bytes:
    taken = b""
    async for block in request.stream():
        taken += block
        if len(taken) > limit:
            raise QueryRejected(f"The request is larger than {limit:,} bytes.", "Send a shorter query.")
    return taken


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise BadInput("The request is not valid UTF-8.", "Send UTF-8.") from None


def _description(request: Request) -> Response:
    """https://www.w3.org/TR/sparql11-service-description/"""
    engine = engine_of(request)
    with engine.reading() as opened:
        names = [*sorted(opened.release.manifest["sources"]), "ontology", "vocab"]
    endpoint = f"{str(request.base_url).rstrip('/')}/sparql"
    formats = ", ".join(f"<http://www.w3.org/ns/formats/{f}>" for f in (*_RESULTS, *_GRAPHS))
    graphs = " ,\n    ".join(
        f"[ a sd:NamedGraph ; sd:name <{engine.settings.base}graph/{name}> ]" for name in names
    )
    text = f"""@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .

<{endpoint}> a sd:Service ;
  sd:endpoint <{endpoint}> ;
  sd:supportedLanguage sd:SPARQL11Query ;
  sd:feature sd:UnionDefaultGraph ;
  sd:resultFormat {formats} ;
  sd:defaultDataset [ a sd:Dataset ; sd:defaultGraph [ a sd:Graph ] ; sd:namedGraph
    {graphs} ] .
"""
    return Response(text, media_type="text/turtle", headers={"Vary": "Accept"})
