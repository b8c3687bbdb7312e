"""Answers to SPARQL as HTTP responses: shared by /sparql, the query library and the documents of graphs."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.responses import StreamingResponse

from dhu_graph.web.gate import Gate
from dhu_graph.web.views import engine_of, wants_html


def answered(
    request: Request,
    query: str,
    format: str | None = None,
    default_graphs: list[str] | None = None,
    named_graphs: list[str] | None = None,
    headers: dict[str, str] | None = None,
) -> StreamingResponse:
    """The answer to one query, in the format asked for by name or by the Accept header.

    Whatever can go wrong is raised before the first byte: an Answer is whole when it comes.
    """
    gate: Gate = request.app.state.gate
    # A browser that sends the form accepts anything after HTML; JSON or Turtle is what people can read.
    accept = None if wants_html(request) else request.headers.get("accept")
    with gate.passing():
        answer = engine_of(request).answer(query, accept, format or None, default_graphs, named_graphs)

    def blocks() -> Iterator[bytes]:
        with answer:
            yield from answer

    return StreamingResponse(
        blocks(),
        media_type=answer.media_type,
        headers={"Content-Length": str(answer.size), "Vary": "Accept", **(headers or {})},
    )
