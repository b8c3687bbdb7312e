"""The plain things that travel along the path: Record, Document, Filter, Hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FILTER_COLUMNS = (
    "kind",
    "country",
    "region",
    "theme",
    "technology",
    "maturity",
    "target",
    "audience",
    "year",
    "language",
    "source",
)
"""What a search can be narrowed by. Each is multi-valued; the values are short codes (`GRC`, `telemonitoring`)."""


@dataclass(frozen=True, slots=True)
class Record:
    """One native item of a source.

    `id` is the origin's own identifier, `where` tells a person where it stands (`cases.csv, line 12`),
    `native` are its bytes as they were read, `fields` its content as a JSON-like tree.
    """

    id: str
    where: str
    native: bytes
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """The text and the filter columns of one resource.

    `text` is what is embedded and matched (title first), in `language` (BCP 47, e.g. `en`).
    `filters` maps a column of FILTER_COLUMNS to its values; a column without values is absent.
    """

    iri: str
    kind: str
    title: str
    summary: str
    text: str
    language: str
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    as_of: str = ""
    """The year of which it speaks, where that is known."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a search is narrowed to: any of the values within a column, all of the columns together."""

    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, **columns: str | list[str] | tuple[str, ...] | None) -> "Filter":
        """`Filter.of(country=["GRC", "CYP"], kind="practice")`; empty and None columns do not narrow."""
        kept = {k: frozenset([v] if isinstance(v, str) else v) for k, v in columns.items() if v}
        return cls(kept)

    def __bool__(self) -> bool:
        return bool(self.columns)


@dataclass(frozen=True, slots=True)
class Hit:
    """One search answer: the document, its score, and why it is there.

    `passage` is the best matching two-sentence window of the text (or the summary where none was scored).
    `parts` holds the terms of the score: `whole`, `window`, `coverage`, `named`.
    """

    document: Document
    score: float
    passage: str
    parts: Mapping[str, float] = field(default_factory=dict)
    spans: tuple[tuple[int, int], ...] = ()
    """Where the passage meets the question: (start, end) in characters."""
