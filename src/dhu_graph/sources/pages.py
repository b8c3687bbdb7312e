"""The pages behind one address: followed by the rule that its input names, until there is no next one."""

import codecs
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from dhu_graph.errors import BadInput, RemoteFailure
from dhu_graph.sources import guard, web
from dhu_graph.sources.config import Input, Source

MOST = 20_000
"""Most pages of one address; more of them are a server that goes round in circles."""
LARGEST_ALL, LONGEST_ALL = 20_000_000_000, 6 * 3_600.0
"""Most bytes and seconds that all pages of one address may take together."""
LARGEST_NAMING = 50_000_000
"""Largest page that is read whole to find what the next one is."""
_TAIL = 20_000
_HEAD = 1_000
_PAGE = re.compile(rb"\s*(<!--.*?-->\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_ACCEPT = {
    "rdf": "text/turtle, application/n-triples;q=0.9, application/rdf+xml;q=0.8, application/ld+json;q=0.5",
    "xml": "application/xml, text/xml;q=0.9, */*;q=0.1",
    "json": "application/json, application/fhir+json;q=0.9, */*;q=0.1",
}
_ENDINGS = {
    "text/turtle": ".ttl",
    "application/n-triples": ".nt",
    "application/rdf+xml": ".rdf",
    "application/ld+json": ".jsonld",
    "application/n-quads": ".nq",
    "application/trig": ".trig",
}


def get(source: Source, item: Input, address: str, scratch: Path) -> Iterator[tuple[str, Path]]:
    """(what people call it, where it is) of each page. Raises RemoteFailure."""
    scratch.mkdir(parents=True, exist_ok=True)
    if item.query:
        yield from _asked(source, item, address, scratch)
        return
    seen: set[str] = set()
    following: str | None = address
    bounds = _Bounds(address)
    while following:
        if following in seen or len(seen) >= MOST:
            raise RemoteFailure(
                f"{address}: the pages go round in circles at {following}.", "Tell its owner."
            )
        seen.add(following)
        path = scratch / f"{len(seen):05d}"
        answer = web.get(following, path, accept=_ACCEPT.get(item.format, "*/*"), trusted=address)
        bounds.take(path)
        _check_kind(path, answer.url, item)
        yield _called(answer, len(seen) if item.pages else 0), _with_ending(path, answer, item)
        following = _next(item, answer, scratch / f"{len(seen):05d}", address)


def _asked(source: Source, item: Input, address: str, scratch: Path) -> Iterator[tuple[str, Path]]:
    """What a CONSTRUCT gives; where it says `LIMIT n OFFSET 0`, once for each n until an answer is empty."""
    text = (source.folder / item.query).read_text(encoding="utf-8")
    bounds = _Bounds(address)
    paged = re.search(r"\bLIMIT\s+(\d+)\s+OFFSET\s+0\b", text, re.IGNORECASE)
    last = b""
    for number in range(MOST):
        start = number * int(paged[1]) if paged else 0
        query = re.sub(r"\bOFFSET\s+0\b", f"OFFSET {start}", text, flags=re.IGNORECASE) if paged else text
        path = scratch / f"{number:05d}"
        answer = web.get(address, path, accept="application/n-triples, text/turtle;q=0.9", query=query)
        bounds.take(path)
        _check_kind(path, answer.url, item)
        path = _with_ending(path, answer, item)
        if paged and _empty(path, address):
            return
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").digest()
        if digest == last:
            raise RemoteFailure(
                f"{address}: the pages go round in circles: page {number + 1} is the one before once more.",
                "The endpoint does not heed OFFSET; ask its owner, or leave LIMIT and OFFSET out.",
            )
        last = digest
        yield f"{urlsplit(address).hostname} page {number + 1}{path.suffix}", path
        if not paged:
            return
    raise RemoteFailure(f"{address} gave {MOST:,} pages and no end.", "Raise LIMIT in the query.")


class _Bounds:
    """Adds up what the pages of an address take. `take` raises RemoteFailure where it is too much."""

    def __init__(self, address: str) -> None:
        self._address, self._size, self._end = address, 0, time.monotonic() + LONGEST_ALL

    def take(self, path: Path) -> None:
        """Counts one page."""
        self._size += path.stat().st_size
        if self._size > LARGEST_ALL or time.monotonic() > self._end:
            raise RemoteFailure(
                f"{self._address}: its pages take more than {LARGEST_ALL:,} bytes or {LONGEST_ALL:,.0f} s.",
                "Fetch them by hand: --from FOLDER.",
            )


def _check_kind(path: Path, url: str, item: Input) -> None:
    """An error page is often sent as if all were well; XML may be a page of HTML on purpose."""
    with path.open("rb") as stream:
        if item.format != "xml" and _PAGE.match(stream.read(_HEAD).removeprefix(codecs.BOM_UTF8)):
            raise RemoteFailure(
                f"{url[:300]} answered with a web page, not with {item.format}.",
                "Open it in a browser; try again later, or give a file: --from PATH.",
            )


def _empty(path: Path, address: str) -> bool:
    """Whether a page of RDF says nothing; one that cannot be read says something, and its reader will say what."""
    import pyoxigraph as ox

    try:
        return next(iter(_parsed(path, address, ox)), None) is None
    except (SyntaxError, ValueError):
        return False


def _parsed(path: Path, base: str, ox: Any) -> Any:
    """The statements of a page, in the syntax that its ending names. Raises ValueError where it must not be parsed."""
    text = _read(path)
    format = ox.RdfFormat.from_extension(path.suffix[1:]) or ox.RdfFormat.TURTLE
    if problem := guard.problem(text, format):
        raise ValueError(problem)
    return ox.parse(text, format, base_iri=base, lenient=True)


def _called(answer: web.Answer, number: int) -> str:
    parts = urlsplit(answer.url)
    name = unquote(PurePosixPath(parts.path).name) or parts.hostname or "answer"
    return f"{name} page {number}" if number else name


def _with_ending(path: Path, answer: web.Answer, item: Input) -> Path:
    """RDF is known by the ending of its name, so a page of it gets the one of its media type."""
    ending = _ENDINGS.get(answer.media) if item.format == "rdf" else None
    return path.rename(path.with_suffix(ending)) if ending else path


def _next(item: Input, answer: web.Answer, path: Path, address: str) -> str | None:
    if not item.pages:
        return None
    if item.pages == "link":
        found = answer.next
    else:
        (page,) = path.parent.glob(path.name + "*")
        try:
            found = _RULES[item.pages](page, answer)
        except (ValueError, SyntaxError, LookupError, TypeError, AttributeError, RecursionError) as error:
            words = f"{answer.url[:300]} is no page of {item.pages}: {error or type(error).__name__}."
            raise BadInput(words, "Try again later.") from None
    try:
        strange = bool(found) and urlsplit(found).hostname != urlsplit(address).hostname
    except ValueError:
        strange = True
    if strange:
        raise RemoteFailure(
            f"{answer.url[:300]} names a next page on another host: {str(found)[:200]}.", "Tell its owner."
        )
    return found or None


def _token(page: Path, answer: web.Answer) -> str | None:
    """OAI-PMH 2.0: `resumptionToken`, alone with the verb; empty on the last page.

    A page that is an error comes with HTTP 200: taken for the last one, it would lose the rest without a word.
    """
    with page.open("rb") as stream:
        text = stream.read(_TAIL).decode("utf-8", "replace")  # an error is a small page
        stream.seek(max(0, page.stat().st_size - _TAIL))  # the token is the last element
        end = stream.read().decode("utf-8", "replace")
    error = re.search(r"<(?:\w+:)?error\b([^<>]*)>([^<]*)<", text)
    code = re.search(r"\bcode\s*=\s*[\"'](\w+)[\"']", error[1]) if error else None
    if error and code and code[1] != "noRecordsMatch" and not re.search(r"<(?:\w+:)?ListRecords[\s>]", text):
        raise RemoteFailure(
            f"{answer.url} answered {code[1]}: {error[2].strip()[:200] or 'no more words'}.",
            "A resumption token lives for a short time: begin again from the start."
            if code[1] == "badResumptionToken"
            else "Check metadataPrefix and set in the address.",
        )
    found = re.search(r"<(?:\w+:)?resumptionToken\b[^<>]*>([^<]*)</", end)
    if not found or not found[1].strip():
        return None
    token = (
        found[1]
        .strip()
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", '"')
    )
    return f"{answer.url.partition('?')[0]}?verb=ListRecords&resumptionToken={quote(token, safe='')}"


def _bundle(page: Path, answer: web.Answer) -> str | None:
    """FHIR: the link of relation `next` of a Bundle."""
    links = json.loads(_read(page)).get("link") or []
    found = [link["url"] for link in links if link.get("relation") == "next"]
    return urljoin(answer.url, str(found[0])) if found else None


def _hydra(page: Path, answer: web.Answer) -> str | None:
    """Hydra: `hydra:next` of the view, `hydra:nextPage` in older catalogues."""
    import pyoxigraph as ox

    terms = {f"http://www.w3.org/ns/hydra/core#{name}" for name in ("next", "nextPage")}
    for quad in _parsed(page, answer.url, ox):
        if quad.predicate.value in terms:
            value = urljoin(answer.url, str(quad.object.value))  # CKAN writes it as a text
            return value if value != answer.url else None
    return None


def _read(page: Path) -> bytes:
    with page.open("rb") as stream:
        content = stream.read(LARGEST_NAMING + 1)
    if len(content) > LARGEST_NAMING:
        raise ValueError(f"it is longer than {LARGEST_NAMING:,} bytes")
    return content


_RULES: dict[str, Callable[[Path, web.Answer], str | None]] = {
    "oai-pmh": _token,
    "fhir": _bundle,
    "hydra": _hydra,
}
