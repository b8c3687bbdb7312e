"""RDF in any syntax: each node of a class is a record, with what is said of it and of its blank nodes."""

import codecs
import io
import itertools
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox

from dhu_graph.model import Record
from dhu_graph.ontology import PREFIXES, RDF_TYPE
from dhu_graph.sources import guard
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import (
    DEEPEST,
    LONGEST,
    Unreadable,
    broken_text,
    depth,
    identifier,
    texts,
    whole,
)

LARGEST = 300_000_000
"""Largest file of RDF read, in bytes: a graph must be in memory to be walked."""
LARGEST_GRAPH = 3_000_000
"""Most statements of a file; each takes about half a kilobyte of memory, however shortly it is written."""
MOST_STATEMENTS = 5_000
"""Most statements of one record."""
_RELATIVE = "https://relative.invalid/"
_SYNTAXES = {
    ".ttl": ox.RdfFormat.TURTLE,
    ".nt": ox.RdfFormat.N_TRIPLES,
    ".nq": ox.RdfFormat.N_QUADS,
    ".trig": ox.RdfFormat.TRIG,
    ".rdf": ox.RdfFormat.RDF_XML,
    ".owl": ox.RdfFormat.RDF_XML,
    ".xml": ox.RdfFormat.RDF_XML,
    ".jsonld": ox.RdfFormat.JSON_LD,
    ".json": ox.RdfFormat.JSON_LD,
}
_COMMON = {
    "adms": "http://www.w3.org/ns/adms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "schema": "http://schema.org/",
    "eurio": "http://data.europa.eu/s66#",
    "wdt": "http://www.wikidata.org/prop/direct/",
}
_BODIES = (
    "http://xmlns.com/foaf/0.1/Agent",
    "http://xmlns.com/foaf/0.1/Organization",
    "http://www.w3.org/ns/org#Organization",
)
_PERSONS = ("http://xmlns.com/foaf/0.1/Person", "http://www.w3.org/2006/vcard/ns#Individual")
_SHORT = sorted(
    {**PREFIXES, **_COMMON, "dcatap": "http://data.europa.eu/r5r/"}.items(), key=lambda p: -len(p[1])
)


def rdf(file: File) -> Iterator[Record | Unreadable]:
    """Each subject of the class that `records` names (`dcat:Dataset`, or a whole IRI), in the order of their IRIs.

    Its statements become keys with the usual prefixes (`dct:title`), else whole IRIs. A text with a language is
    `{"value": …, "lang": …}`, a blank node an object of its own; another resource is its IRI, or an object with its texts
    where the file says that it is a body (`foaf:Agent`, not a person).
    What follows a mistake in Turtle or RDF/XML cannot be read; N-Triples go on with the next line.
    """
    native = whole(file.path, LARGEST)
    if native is None:
        yield Unreadable(file.name, b"", f"The file is larger than {LARGEST:,} bytes of RDF.")
        return
    syntax = _syntax(file)
    native = native.removeprefix(codecs.BOM_UTF8)
    if problem := guard.problem(native, syntax):
        yield Unreadable(file.name, b"", problem)
        return
    store, torn = ox.Store(), set[str]()
    try:
        for place, why, line in _load(store, native, syntax, file.input.url or _RELATIVE, torn):
            yield Unreadable(f"{file.name}{place}", line, f"The file cannot be read as RDF here: {why}.")
    except _TooLarge:
        yield Unreadable(file.name, b"", f"The file has more than {LARGEST_GRAPH:,} statements.")
        return
    wanted = _whole_iri(file.input.records)
    subjects = {
        q.subject for q in store.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), ox.NamedNode(wanted), None)
    }
    if not subjects:
        yield Unreadable(file.name, b"", f"The file describes nothing of the class {file.input.records}.")
    for subject in sorted(subjects, key=str):
        where = f"{file.name}, {subject.value if isinstance(subject, ox.NamedNode) else 'a blank node'}"
        try:
            fields = _described(store, subject, [MOST_STATEMENTS], 0)
        except ValueError as error:
            yield Unreadable(where, b"", f"{error}.")
            continue
        if isinstance(subject, ox.NamedNode):
            fields["@id"] = subject.value
        dump, words = _native(store, subject).encode(), ""
        if depth(fields) > DEEPEST or len(dump) > LONGEST:
            dump = dump[:LONGEST]
            words = f"The description is longer than {LONGEST:,} bytes or too deep."
        elif str(subject) in torn:
            words = "The file breaks off within this description, or right after it."
        elif _RELATIVE.encode() in dump:
            words = (
                "The description holds a relative IRI. Give the input its `url`, against which it is read."
            )
        words = words or broken_text("".join(texts(fields)), "utf-8")
        if words:
            yield Unreadable(where, dump, words)
        else:
            yield Record(identifier(file.input, fields, file.name), where, dump, fields)


def _described(store: ox.Store, node: Any, left: list[int], level: int) -> dict[str, Any]:
    if level > DEEPEST:
        raise ValueError(f"Its blank nodes nest deeper than {DEEPEST} levels, or in a circle")
    about = _about(store, node)
    left[0] -= len(about)
    if left[0] < 0:
        raise ValueError(f"More than {MOST_STATEMENTS:,} statements are made of it")
    found: dict[str, dict[str, Any]] = {}
    for quad in sorted(about, key=lambda q: (q.predicate.value, str(q.object))):
        value: Any = quad.object
        if isinstance(value, ox.BlankNode):
            value = _described(store, value, left, level + 1)
        elif isinstance(value, ox.Literal):
            value = {"value": value.value, "lang": value.language} if value.language else value.value
        elif isinstance(value, ox.NamedNode):
            value = _agent(store, value, left) if level == 0 else value.value
        else:
            continue  # a quoted triple
        # What differs only in its datatype is one value.
        found.setdefault(_short(quad.predicate.value), {}).setdefault(str(value), value)
    plain = {key: list(values.values()) for key, values in found.items()}
    return {key: values[0] if len(values) == 1 else values for key, values in plain.items()}


def _native(store: ox.Store, subject: Any) -> str:
    """What is said of a subject, as Turtle that is the same each time: blank nodes stand in brackets, since a parser names them anew."""

    def said(node: Any) -> list[str]:
        return sorted(
            f"{q.predicate} [ {' ; '.join(said(q.object))} ]"
            if isinstance(q.object, ox.BlankNode)
            else f"{q.predicate} {q.object}"
            for q in _about(store, node)
        )

    bodies = sorted({q.object for q in _about(store, subject) if isinstance(q.object, ox.NamedNode)}, key=str)
    texts = sorted(f"{q.subject} {q.predicate} {q.object} .\n" for body in bodies for q in _told(store, body))
    name = subject if isinstance(subject, ox.NamedNode) else "[]"
    return "".join([*(f"{name} {line} .\n" for line in said(subject)), *texts])


def _told(store: ox.Store, node: ox.NamedNode) -> list[ox.Quad]:
    """The texts that the file has of a body; none of anything else, nor of a person."""
    about = _about(store, node)
    kinds = {
        q.object.value for q in about if q.predicate.value == RDF_TYPE and isinstance(q.object, ox.NamedNode)
    }
    if kinds.isdisjoint(_BODIES) or not kinds.isdisjoint(_PERSONS):
        return []
    plain = (q for q in about if isinstance(q.object, ox.Literal))
    return sorted(plain, key=lambda q: (q.predicate.value, str(q.object)))


def _agent(store: ox.Store, node: ox.NamedNode, left: list[int]) -> Any:
    """The IRI, or what the file says of it where it is a body: catalogues name their publishers that way."""
    found: dict[str, Any] = {"@id": node.value}
    for quad in _told(store, node):
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"More than {MOST_STATEMENTS:,} statements are made of it")
        assert isinstance(quad.object, ox.Literal)
        found.setdefault(_short(quad.predicate.value), quad.object.value)
    return found if len(found) > 1 else node.value


def _about(store: ox.Store, node: Any) -> list[ox.Quad]:
    return list(itertools.islice(store.quads_for_pattern(node, None, None, None), MOST_STATEMENTS + 1))


class _TooLarge(Exception):
    """The file has more statements than are taken."""


def _load(
    store: ox.Store, native: bytes, syntax: ox.RdfFormat, base: str, torn: set[str]
) -> Iterator[tuple[str, str, bytes]]:
    """Adds what can be read; gives (place, message, bytes) of what cannot.

    `torn` gets the subject at which Turtle or RDF/XML breaks off: of it something may be missing.
    """
    if syntax in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS):
        for number, line in enumerate(io.BytesIO(native), 1):
            try:
                store.extend(list(ox.parse(line, syntax, lenient=True)))
            except (SyntaxError, ValueError) as error:
                yield f", line {number}", str(error), line.rstrip(b"\r\n")[:LONGEST]
            if len(store) > LARGEST_GRAPH:
                raise _TooLarge
        return
    last: Any = None
    named = ""
    owners: dict[str, Any] = {}  # of blank nodes
    try:
        for count, quad in enumerate(
            ox.parse(native, syntax, base_iri=base, lenient=True, rename_blank_nodes=True)
        ):
            store.add(quad)
            last = quad.subject
            if isinstance(last, ox.NamedNode):
                named = str(last)
            if isinstance(quad.object, ox.BlankNode):
                owners[str(quad.object)] = quad.subject
            if count >= LARGEST_GRAPH:
                raise _TooLarge
    except (SyntaxError, ValueError) as error:
        # What is said in brackets is given before the statement that they are the object of.
        torn.add(named)
        while last is not None and str(last) not in torn:
            torn.add(str(last))
            last = owners.get(str(last))
        place = getattr(error, "lineno", None)
        yield f", line {place}" if place else "", str(error), b""


def _syntax(file: File) -> ox.RdfFormat:
    ending = "." + file.name.rsplit(".", 1)[-1].lower() if "." in file.name else ""
    if ending in _SYNTAXES:
        return _SYNTAXES[ending]
    with file.path.open("rb") as stream:
        head = stream.read(200).lstrip()
    if head.startswith((b"{", b"[")):
        return ox.RdfFormat.JSON_LD
    return ox.RdfFormat.RDF_XML if head.startswith((b"<?xml", b"<rdf:")) else ox.RdfFormat.TURTLE


def _whole_iri(name: str) -> str:
    prefix, colon, local = name.partition(":")
    known = dict((short, iri) for short, iri in _SHORT)
    return known[prefix] + local if colon and prefix in known else name


def _short(iri: str) -> str:
    for prefix, namespace in _SHORT:
        if iri.startswith(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri
