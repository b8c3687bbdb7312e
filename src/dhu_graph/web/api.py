"""`/api`: search, similar and resources as JSON."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from dhu_graph.engine import Engine
from dhu_graph.errors import OutOfDate, Replaced
from dhu_graph.model import Document, Filter, Hit
from dhu_graph.resources import Statement
from dhu_graph.search import Answer, Searcher, sparql
from dhu_graph.web import parameters
from dhu_graph.web.views import engine_of, label, local, origins

router = APIRouter()


class Value(BaseModel):
    """One value of a filter column: its code and its label."""

    value: str
    label: str


class Facet(Value):
    """A value with the number of documents that pass the filter and have it."""

    count: int


class SourceOut(BaseModel):
    """Where a hit comes from, and under which licence its source is; empty where that is not known."""

    name: str
    title: str
    licence: str


class HitOut(BaseModel):
    """One answer. `iri` is its name for ever, `url` its address on this server; `parts` are the terms of the score.

    `as_of` is the year of which it speaks, `spans` are the (start, end) characters of the passage where it meets the question.
    """

    iri: str
    url: str
    kind: str
    title: str
    summary: str
    passage: str
    language: str
    score: float
    parts: dict[str, float]
    spans: list[tuple[int, int]] = []
    as_of: str
    sources: list[SourceOut]
    filters: dict[str, list[Value]]


class Understood(Value):
    """A filter that words of the question name. It lifts what fits and hides nothing; add it as a parameter to narrow."""

    column: str
    words: str


class Found(BaseModel):
    """What a search gives. `total` counts the documents that pass the filter; `facets` counts them by value.

    `understood` are the filters that the question names, `sparql` the query that states the filters that were given.
    `confidence` is how likely an answer is there at all (0 to 1, calibrated on judged questions; null where words alone
    decided), `good_match` whether it is likely enough to say so. `next` is the cursor of the page that follows, of this
    release alone; empty on the last.
    """

    query: str
    release: int
    total: int
    understood: list[Understood]
    sparql: str
    confidence: float | None
    good_match: bool
    next: str
    hits: list[HitOut]
    facets: dict[str, list[Facet]]


class AlikeHit(HitOut):
    """A hit with what it has in common with what was named."""

    shared: dict[str, list[Value]]


class Alike(BaseModel):
    """The resources most like one of them (`iri`, the first that was named), or like a text (`iri` is empty)."""

    iri: str
    release: int
    hits: list[AlikeHit]


class ValueOut(BaseModel):
    """One value of a statement: a text with its language, or an IRI with its label; `parts` of a nested node.

    `derived` is empty but where a rule derived the value: the rule, how sure it is, and the words it rests on.
    """

    text: str
    iri: str
    url: str
    language: str
    sources: list[str]
    parts: list["StatementOut"]
    derived: list[str] = []


class StatementOut(BaseModel):
    """One property with its values; `inverse` where others say it of this resource."""

    property: str
    label: str
    inverse: bool
    values: list[ValueOut]


class ResourceOut(BaseModel):
    """One resource with everything that its page shows."""

    iri: str
    url: str
    kind: str
    title: str
    release: int
    statements: list[StatementOut]


@router.get("/api/search", summary="Search in plain words, in any EU language")
def search(request: Request, asked: Annotated[parameters.Search, Query()]) -> Found:
    """`total` counts the documents that pass the filters: each of them has a place in the ranking."""
    engine = engine_of(request)
    chosen = parameters.filter_of(engine, asked)
    with engine.reading() as opened:
        searcher, number = opened.searcher, opened.release.number
        offset = _offset(asked, number)
        answer, hits, most = _ranked(searcher, chosen, asked, offset)
        total, facets = searcher.count(chosen), searcher.facets(chosen)
    named = [name for name in answer.question.named if not name.hint] if answer else []
    after = offset + asked.limit
    return Found(
        query=asked.q,
        release=number,
        total=total,
        understood=[
            Understood(
                column=name.column,
                value=name.value,
                label=label(engine, name.column, name.value),
                words=name.words,
            )
            for name in named
        ],
        sparql=sparql(chosen, opened.index.documents.values("kind"), engine.ontology),
        confidence=None if answer is None or answer.confidence is None else round(answer.confidence, 3),
        good_match=bool(hits) and (answer is None or answer.good),
        next=f"{number}-{after}" if len(hits) == asked.limit and after < min(total, most) else "",
        hits=[_hit(request, engine, hit) for hit in hits],
        facets={
            column: [Facet(value=v, label=label(engine, column, v), count=n) for v, n in counts.items()]
            for column, counts in facets.items()
        },
    )


SORTED = 100
"""Of the answers to a question, how many are put in another order: all resources would only be a list of all."""


def _ranked(
    searcher: Searcher, chosen: Filter, asked: parameters.Search, offset: int
) -> tuple[Answer | None, list[Hit], int]:
    """(the answer, where there was a question; the hits of this page; how many there can be)."""
    every = 10_000 + asked.limit
    if not asked.q.strip():
        sort = "title" if asked.sort == "relevance" else asked.sort
        return None, searcher.listed(chosen, asked.limit, offset, sort), every
    words = asked.mode == "words"
    if asked.sort == "relevance":
        answer = searcher.answer(asked.q, chosen, asked.limit, offset, words)
        return answer, answer.hits, every
    answer = searcher.answer(asked.q, chosen, SORTED, 0, words)
    return answer, searcher.sorted(answer.hits, asked.sort)[offset : offset + asked.limit], SORTED


def _offset(asked: parameters.Search, number: int) -> int:
    """Where the page begins. Raises OutOfDate for a cursor of another release."""
    if not asked.cursor:
        return asked.offset
    release, offset = map(int, asked.cursor.split("-"))
    if release != number:
        raise OutOfDate(
            f"The cursor is of release {release}, and release {number} is served now.",
            "Start again without it.",
        )
    return min(offset, 10_000)


class SuggestionOut(BaseModel):
    """A text that was meant perhaps: of a resource (`column` is `resource`, `value` its IRI), or of a value of a filter."""

    text: str
    column: str
    value: str
    count: int


@router.get("/api/suggest", summary="What somebody who types this may mean")
def suggest(request: Request, asked: Annotated[parameters.Suggest, Query()]) -> list[SuggestionOut]:
    """Titles, and labels of countries, regions, themes, technologies and groups in every language; accents do not matter."""
    found = engine_of(request).suggest(asked.q, asked.limit)
    return [SuggestionOut(text=s.text, column=s.column, value=s.value, count=s.count) for s in found]


@router.get("/api/similar", summary="What is most like a resource, or like several together")
def similar(request: Request, asked: Annotated[parameters.Similar, Query()]) -> Alike:
    """The same filters as for search. `shared` says what a hit has in common with what was named."""
    engine = engine_of(request)
    chosen, iris = parameters.filter_of(engine, asked), [engine.iri(iri) for iri in asked.iri]
    with engine.reading() as opened:
        hits = opened.searcher.similar(iris, chosen, asked.limit)
        documents = opened.index.documents
        named = [documents.get(documents.row(iri)) for iri in iris]
        number = opened.release.number
    return Alike(
        iri=iris[0],
        release=number,
        hits=[
            AlikeHit(**_hit(request, engine, hit).model_dump(), shared=_shared(engine, hit, named))
            for hit in hits
        ],
    )


@router.post("/api/similar", summary="What is most like a text, such as a draft")
def alike(request: Request, draft: parameters.Draft) -> Alike:
    """`{"text": "…"}`, in any EU language. Nothing of it is kept."""
    engine = engine_of(request)
    with engine.reading() as opened:
        hits = opened.searcher.alike(draft.text, limit=draft.limit)
        number = opened.release.number
    return Alike(
        iri="",
        release=number,
        hits=[AlikeHit(**_hit(request, engine, hit).model_dump(), shared={}) for hit in hits],
    )


_TELLING = ("theme", "technology", "target", "country", "maturity")


def _shared(engine: Engine, hit: Hit, named: list[Document]) -> dict[str, list[Value]]:
    """Column → the values that a hit has in common with each of the documents named."""
    found = {}
    for column in _TELLING:
        sets = [set(document.filters.get(column, ())) for document in (hit.document, *named)]
        if both := sorted(set.intersection(*sets)):
            found[column] = [Value(value=value, label=label(engine, column, value)) for value in both]
    return found


@router.get(
    "/api/resources/{kind}/{slug}",
    summary="One resource, with labels, parts and who points to it; 301 where it goes by another IRI",
    response_model=ResourceOut,
)
def resource(request: Request, kind: str, slug: str) -> ResourceOut | RedirectResponse:
    """What its page shows, as JSON; RDF is under /id."""
    engine = engine_of(request)
    iri = engine.iri(f"{parameters.step(kind)}/{parameters.step(slug)}")
    with engine.reading() as opened:
        try:
            found, number = opened.resources.get(iri), opened.release.number
        except Replaced as moved:
            there = moved.successor.removeprefix(engine.settings.base + "id/").partition("#")[0]
            return RedirectResponse(f"/api/resources/{quote(there)}", 301, {"Cache-Control": "no-cache"})
    return ResourceOut(
        iri=found.iri,
        url=_here(request, engine, found.iri),
        kind=found.kind,
        title=found.title,
        release=number,
        statements=[_statement(request, engine, statement) for statement in found.statements],
    )


def _hit(request: Request, engine: Engine, hit: Hit) -> HitOut:
    document = hit.document
    return HitOut(
        iri=document.iri,
        url=_here(request, engine, document.iri),
        kind=document.kind,
        title=document.title,
        summary=document.summary,
        passage=hit.passage,
        language=document.language,
        score=round(hit.score, 6),
        parts={name: round(value, 6) for name, value in hit.parts.items()},
        spans=list(hit.spans),
        as_of=document.as_of,
        sources=[
            SourceOut(name=name, title=title, licence=licence)
            for name, title, licence in origins(engine, document)
        ],
        filters={
            column: [Value(value=value, label=label(engine, column, value)) for value in values]
            for column, values in document.filters.items()
        },
    )


def _statement(request: Request, engine: Engine, statement: Statement) -> StatementOut:
    values = [
        ValueOut(
            text=value.text,
            iri=value.iri,
            url=_here(request, engine, value.iri),
            language=value.language,
            sources=[source for source in value.sources if source],
            parts=[_statement(request, engine, part) for part in value.parts],
            derived=list(value.derived),
        )
        for value in statement.values
    ]
    return StatementOut(
        property=statement.property, label=statement.label, inverse=statement.inverse, values=values
    )


def _here(request: Request, engine: Engine, iri: str) -> str:
    """The address of an IRI: on this server where it is one of this radar's."""
    place = local(iri, engine.settings.base)
    return str(request.base_url).rstrip("/") + place if place.startswith("/") else place
