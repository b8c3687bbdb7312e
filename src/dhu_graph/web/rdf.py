"""RDF documents: their endings, how they are written, and how clients keep them (ETag)."""

import hashlib
from collections.abc import Iterable, Mapping

import pyoxigraph as ox
from fastapi import Request, Response

from dhu_graph import __version__
from dhu_graph.engine import Opened
from dhu_graph.sparql import negotiate

FORMS: Mapping[str, tuple[str, ox.RdfFormat]] = {
    "ttl": ("text/turtle", ox.RdfFormat.TURTLE),
    "nt": ("application/n-triples", ox.RdfFormat.N_TRIPLES),
    "jsonld": ("application/ld+json", ox.RdfFormat.JSON_LD),
    "rdf": ("application/rdf+xml", ox.RdfFormat.RDF_XML),
}
"""Ending of a document → media type and serialiser."""
_ENDINGS = {"TURTLE": "ttl", "N_TRIPLES": "nt", "JSON_LD": "jsonld", "RDF_XML": "rdf"}


def ending(request: Request) -> str:
    """The ending of the RDF document that the Accept header asks for. Raises NotAcceptable."""
    return _ENDINGS[negotiate("DESCRIBE", request.headers.get("accept")).serializer]


def written(quads: Iterable[ox.Quad], format: ox.RdfFormat, prefixes: Mapping[str, str]) -> bytes:
    """The triples in a fixed order, each once."""
    triples = {quad.triple for quad in quads}
    return ox.serialize(sorted(triples, key=str), format=format, prefixes=dict(prefixes)) or b""


def tag(opened: Opened, name: str) -> str:
    """The ETag of a document of a release: the number, for people, and what it depends on."""
    digest = str(opened.release.manifest["digest"])
    return f'"{opened.release.number}-{_short(f"{__version__} {digest} {name}")}"'


def plain_tag(content: str) -> str:
    """The ETag of a document that depends on no release."""
    return f'"{_short(f"{__version__} {content}")}"'


def kept(
    request: Request, etag: str, headers: dict[str, str] | None = None
) -> tuple[dict[str, str], Response | None]:
    """Headers for a document with this tag, and the 304 where the client has it already."""
    headers = {"ETag": etag, "Cache-Control": "public, no-cache", "Vary": "Accept", **(headers or {})}
    held = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return headers, Response(status_code=304, headers=headers) if held & {etag, "*"} else None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
