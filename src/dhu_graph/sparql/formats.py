"""What an answer is written in: from an Accept header, or a format's name, to a media type and a serialiser.

Boolean and tabular results (SELECT, ASK) come as JSON, XML, CSV or TSV; graphs (CONSTRUCT, DESCRIBE) as Turtle,
N-Triples, JSON-LD or RDF/XML. The first of each list is what is sent to those who accept anything.
"""

from dataclasses import dataclass
from typing import ClassVar

from dhu_graph.errors import UsageError
from dhu_graph.sparql.guard import Form


class NotAcceptable(UsageError):
    """None of the formats asked for can carry this kind of answer (HTTP 406)."""

    status: ClassVar[int] = 406
    title: ClassVar[str] = "No such format for this answer"


@dataclass(frozen=True, slots=True)
class Format:
    """One way of writing an answer.

    `media_type` is the registered name; `aliases` are others that clients send, and they get the one they named.
    `serializer` names a member of pyoxigraph's QueryResultsFormat or RdfFormat: the worker looks it up.
    """

    name: str
    media_type: str
    serializer: str
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


RESULTS = (
    Format("json", "application/sparql-results+json", "JSON", ("application/json",), ("srj",)),
    Format("xml", "application/sparql-results+xml", "XML", ("application/xml", "text/xml"), ("srx",)),
    Format("csv", "text/csv", "CSV"),
    Format("tsv", "text/tab-separated-values", "TSV"),
)
GRAPHS = (
    Format("turtle", "text/turtle", "TURTLE", ("application/turtle", "application/x-turtle"), ("ttl",)),
    Format("n-triples", "application/n-triples", "N_TRIPLES", ("text/plain",), ("nt", "ntriples")),
    Format("json-ld", "application/ld+json", "JSON_LD", ("application/json",), ("jsonld", "json")),
    Format(
        "rdf/xml", "application/rdf+xml", "RDF_XML", ("application/xml", "text/xml"), ("rdfxml", "rdf", "xml")
    ),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What was agreed: the media type to announce, and pyoxigraph's name of the serialiser."""

    media_type: str
    serializer: str


def offered(form: Form) -> tuple[Format, ...]:
    """The formats that can carry the answer to a query of this form, the preferred one first."""
    return GRAPHS if form in ("CONSTRUCT", "DESCRIBE") else RESULTS


def negotiate(form: Form, accept: str | None = None, format: str | None = None) -> Choice:
    """The format of an answer: `format` (a name such as `csv` or a media type) wins over the Accept header.

    The most specific range decides about each type, the highest q wins, and ties go to our own order (RFC 9110,
    12.5.1). Raises NotAcceptable, naming what there is.
    """
    if format:
        return _by_name(form, format)
    if accept is None or not accept.strip():
        first = offered(form)[0]
        return Choice(first.media_type, first.serializer)
    ranges = _ranges(accept)
    best: tuple[float, int, Choice] | None = None
    for entry in offered(form):
        for media_type in (entry.media_type, *entry.aliases):
            specificity, quality = _weight(media_type, ranges)
            if quality > 0 and (best is None or (quality, specificity) > best[:2]):
                best = (quality, specificity, Choice(media_type, entry.serializer))
    if best is None:
        raise _nothing_fits(form, f"Nothing in `Accept: {accept[:200]}`")
    return best[2]


def _by_name(form: Form, format: str) -> Choice:
    wanted = format.strip().lower()
    for entry in offered(form):
        if wanted in (entry.media_type, *entry.aliases):
            return Choice(wanted, entry.serializer)
        if wanted in (entry.name, *entry.names):
            return Choice(entry.media_type, entry.serializer)
    raise _nothing_fits(form, f"The format {format[:100]!r}")


def _nothing_fits(form: Form, what: str) -> NotAcceptable:
    kind = "graph" if offered(form) is GRAPHS else "table of results"
    have = ", ".join(f"{f.name} ({f.media_type})" for f in offered(form))
    return NotAcceptable(
        f"{what} cannot carry the answer: {form} gives a {kind}.", f"Ask for one of these: {have}."
    )


def _ranges(accept: str) -> list[tuple[str, str, float]]:
    """(type, subtype, q) of each media range; parameters other than q are ignored, unreadable ranges dropped."""
    found = []
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        major, slash, minor = name.partition("/")
        if not slash or not major or not minor:
            if name != "*":  # some old clients (Java's URLConnection) send a bare star
                continue
            major = minor = "*"
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    quality = min(1.0, max(0.0, float(value)))
                except ValueError:
                    quality = 0.0
        found.append((major, minor, quality if quality == quality else 0.0))
    return found


def _weight(media_type: str, ranges: list[tuple[str, str, float]]) -> tuple[int, float]:
    """(specificity, q) that the ranges give to one media type; q is 0 where nothing names it."""
    major, _, minor = media_type.partition("/")
    matching = [
        ((a != "*") + (b != "*"), q) for a, b, q in ranges if (a in ("*", major)) and (b in ("*", minor))
    ]
    return max(matching, default=(0, 0.0))
