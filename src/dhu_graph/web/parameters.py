"""What can be asked for in addresses: the search parameters, and the filter that they stand for."""

import re
from typing import Annotated, Literal

import pyoxigraph as ox
from pydantic import BaseModel, ConfigDict, Field

from dhu_graph.engine import Engine
from dhu_graph.errors import UnknownName, UsageError
from dhu_graph.model import FILTER_COLUMNS, Filter
from dhu_graph.ontology import SKOS
from dhu_graph.web.views import LANGUAGES

LONGEST_QUESTION = 2_000
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")

Values = Annotated[list[str], Field(default_factory=list, max_length=100)]


class Columns(BaseModel):
    """The filters: each may be repeated, any of its values passes; an empty value does not narrow."""

    model_config = ConfigDict(extra="forbid")

    country: Values = Field(description="Code or name: `GRC`, `Greece`, `Ελλάδα`.")
    region: Values = Field(description="NUTS code or official name: `PL21`, `Małopolskie`.")
    theme: Values = Field(description="Code or name: `telemonitoring`.")
    kind: Values = Field(description="Code or name: `practice`, `good practice`.")
    technology: Values = Field(description="Code or name: `video-consultation`.")
    maturity: Values = Field(description="Code or name: `pilot`, `routine-use`.")
    target: Values = Field(description="For whom, code or name: `patients`.")
    audience: Values = Field(description="Who learns from it, code or name: `policy-makers`.")
    year: Values = Field(description="Start year, or a span of them: `2021`, `2020-2022`, `2020-`, `-2020`.")
    language: Values = Field(description="Language of the text, code or name: `en`.")
    source: Values = Field(description="Name of a source: `starter`.")


class Similar(Columns):
    """Parameters of /api/similar."""

    iri: list[Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION)]] = Field(
        description="An IRI, or `kind/slug`; of several, what is most like all of them.",
        min_length=1,
        max_length=50,
    )
    limit: int = Field(10, ge=1, le=100)


class Draft(BaseModel):
    """The body of POST /api/similar."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="A draft or description, in any EU language.", max_length=1_000_000)
    limit: int = Field(10, ge=1, le=100)


class Suggest(BaseModel):
    """Parameters of /api/suggest."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", description="What was typed so far.", max_length=LONGEST_QUESTION)
    limit: int = Field(8, ge=1, le=50)


class Search(Columns):
    """Parameters of /api/search."""

    q: str = Field(
        "",
        description='The question, in plain words. `"in quotes"` must stand in an answer, `-word` must not.',
        max_length=LONGEST_QUESTION,
    )
    mode: Literal["meaning", "words"] = Field("meaning", description="`words` looks for the words alone.")
    limit: int = Field(10, ge=1, le=100)
    offset: int = Field(0, ge=0, le=10_000)
    cursor: str = Field(
        "",
        pattern=r"^([0-9]{1,9}-[0-9]{1,9})?$",
        description="`next` of the answer before, in place of `offset`.",
    )
    sort: Literal["relevance", "title", "year"] = Field(
        "relevance",
        description="Without a question `title`, or `year` (latest first); with one the best 100 in that order.",
    )


class Page(Columns):
    """Parameters of the search page."""

    # Links from elsewhere carry parameters of their own (utm_source …).
    model_config = ConfigDict(extra="ignore")

    q: str = Field("", max_length=LONGEST_QUESTION)
    page: int = Field(1, ge=1, le=1000)


def filter_of(engine: Engine, columns: Columns) -> Filter:
    """The filter of the parameters. Raises UsageError for a value that nothing goes by."""
    return engine.filter(
        **{
            column: [
                _code(engine, column, value.strip()) for value in getattr(columns, column) if value.strip()
            ]
            for column in FILTER_COLUMNS
        }
    )


def _code(engine: Engine, column: str, value: str) -> str:
    """A value as `engine.filter` takes it: names of kinds and languages become codes, the rest is looked at."""
    if column == "kind":
        named = {engine.ontology.label(iri): kind for iri, kind in engine.ontology.kinds.items()}
        return named.get(value.casefold(), value.lower())
    if column == "language":
        return _language(engine, value)
    if column == "year" and not re.fullmatch(r"[0-9]{4}|[0-9]{4}-|-[0-9]{4}|[0-9]{4}-[0-9]{4}", value):
        raise UsageError(
            f"year: {value[:80]!r} is not a year.", "For example 2021, 2020-2022, 2020- or -2020."
        )
    if column == "source" and value not in (known := sorted(_sources(engine))):
        raise UsageError(f"source: there is no source {value[:80]!r}.", f"Sources: {', '.join(known)}.")
    return value


def _language(engine: Engine, value: str) -> str:
    iri = engine.ontology.concept(LANGUAGES, value)
    if iri:
        notations = engine.ontology.store.quads_for_pattern(
            ox.NamedNode(iri), ox.NamedNode(SKOS + "notation"), None, None
        )
        short = engine.ontology.iri("ns#bcp47")
        for code in (quad.object for quad in notations):
            if isinstance(code, ox.Literal) and code.datatype.value == short:
                return code.value
    if not _LANGUAGE.fullmatch(value.lower()):
        raise UsageError(f"language: {value[:80]!r} is not known.", "Give a code or a name: `en`, `English`.")
    return value.lower()


def _sources(engine: Engine) -> set[str]:
    with engine.reading() as opened:
        return set(opened.release.manifest["sources"])


def step(name: str) -> str:
    """One step of an address, as IRIs of this radar have it. Raises UnknownName for anything else."""
    if not re.fullmatch(r"[A-Za-z0-9_~%-][A-Za-z0-9._~%-]*", name):
        raise UnknownName(f"There is no resource {name[:200]!r}.", "Search for it, or check the address.")
    return name
