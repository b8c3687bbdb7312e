"""`/api/queries`: the query library, listed and run."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from dhu_graph import queries
from dhu_graph.errors import UsageError
from dhu_graph.web.answers import answered
from dhu_graph.web.views import engine_of

router = APIRouter()


class ParameterOut(BaseModel):
    """What a query takes."""

    name: str
    description: str
    example: str


class QueryOut(BaseModel):
    """One query of the library."""

    name: str
    summary: str
    description: str
    url: str
    parameters: list[ParameterOut]


@router.get("/api/queries", summary="The query library")
def library(request: Request) -> list[QueryOut]:
    """Name, summary, description and parameters of each query."""
    return [
        QueryOut(
            name=query.name,
            summary=query.summary,
            description=query.description,
            url=f"/api/queries/{query.name}",
            parameters=[
                ParameterOut(name=p.name, description=p.description, example=p.example)
                for p in query.parameters
            ],
        )
        for query in engine_of(request).queries()
    ]


@router.get("/api/queries/{name}", summary="Run a query of the library")
def run(request: Request, name: str) -> Response:
    """Its parameters are those of the address; `format` and the Accept header are as for /sparql."""
    given: dict[str, str] = {}
    for key, value in request.query_params.multi_items():
        if key in given:
            raise UsageError(f"{key[:80]!r} was given twice.", "Give each parameter once.")
        given[key] = value
    format = given.pop("format", None)
    ontology = engine_of(request).ontology
    return answered(request, queries.load(name, ontology).bind(given, ontology), format)
