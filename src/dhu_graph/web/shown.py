"""A search hit as pages show it."""

import re

from dhu_graph.engine import Engine
from dhu_graph.model import Hit
from dhu_graph.search import marked
from dhu_graph.web.views import label, labels, local, origins

_WORD = re.compile(r"[^\W_]+")
_SHORT = 320
_LEAST = 60
"""A passage shorter than this tells too little, and the summary is shown."""


def shown(engine: Engine, hit: Hit) -> dict[str, object]:
    """The hit in words, with the address of its page."""
    document = hit.document
    return {
        "title": document.title,
        "language": document.language,
        "url": local(document.iri, engine.settings.base),
        "pieces": _pieces(_passage(hit), {hit.passage[start:end] for start, end in hit.spans}),
        "kind": label(engine, "kind", document.kind),
        "countries": labels(engine, document, "country"),
        "themes": labels(engine, document, "theme"),
        "maturity": labels(engine, document, "maturity"),
        "year": document.filters.get("year", ()),
        "sources": [(title, address) for _, title, address in origins(engine, document)],
        "as_of": document.as_of,
    }


def _passage(hit: Hit) -> str:
    """The passage without the title that stands above it; the beginning of the summary where little is left."""
    passage = hit.passage.removeprefix(hit.document.title).strip(" .\n")
    if len(passage) < _LEAST:
        passage = hit.document.summary
    elif not passage.endswith(("!", "?", "…")):
        passage += "."
    return passage if len(passage) <= _SHORT else passage[:_SHORT].rsplit(" ", 1)[0] + " …"


def _pieces(passage: str, met: set[str]) -> list[tuple[str, bool]]:
    """(text, whether it is marked): the words that meet the question, wherever they stand in what is shown."""
    return marked(passage, [found.span() for found in _WORD.finditer(passage) if found.group() in met])
