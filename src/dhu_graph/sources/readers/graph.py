"""RDF in any syntax: each node of a class is a record, with what is said of it and of its blank nodes."""

import re
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox

from dhu_graph.model import Record
from dhu_graph.ontology import PREFIXES, RDF_TYPE
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import DEEPEST, LONGEST, Unreadable, depth, identifier, whole

LARGEST = 300_000_000
"""Largest file of RDF read, in bytes: a graph must be in memory to be walked."""
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
    if problem := _hostile(native, syntax):
        yield Unreadable(file.name, b"", problem)
        return
    store = ox.Store()
    for place, why, line in _load(store, native, syntax):
        yield Unreadable(f"{file.name}{place}", line, f"The file cannot be read as RDF here: {why}.")
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
        dump = _native(store, subject)
        if depth(fields) > DEEPEST or len(dump) > LONGEST:
            yield Unreadable(
                where,
                dump.encode()[:LONGEST],
                f"The description is longer than {LONGEST:,} bytes or too deep.",
            )
            continue
        if _RELATIVE in dump:
            words = (
                "The description holds a relative IRI. Give the input its `url`, against which it is read."
            )
            yield Unreadable(where, dump.encode(), words)
            continue
        yield Record(identifier(file.input, fields, file.name), where, dump.encode(), fields)


def _described(store: ox.Store, node: Any, left: list[int], level: int) -> dict[str, Any]:
    if level > DEEPEST:
        raise ValueError(f"Its blank nodes nest deeper than {DEEPEST} levels")
    found: dict[str, list[Any]] = {}
    for quad in sorted(_about(store, node), key=lambda q: (q.predicate.value, str(q.object))):
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"More than {MOST_STATEMENTS:,} statements are made of it")
        value: Any = quad.object
        if isinstance(value, ox.BlankNode):
            value = _described(store, value, left, level + 1)
        elif isinstance(value, ox.Literal):
            value = {"value": value.value, "lang": value.language} if value.language else value.value
        elif isinstance(value, ox.NamedNode):
            value = _agent(store, value, left) if level == 0 else value.value
        else:
            continue  # a quoted triple
        if value not in found.setdefault(_short(quad.predicate.value), []):
            found[_short(quad.predicate.value)].append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


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
    return list(store.quads_for_pattern(node, None, None, None))


def _load(store: ox.Store, native: bytes, syntax: ox.RdfFormat) -> Iterator[tuple[str, str, bytes]]:
    """Adds what can be read; gives (place, message, bytes) of what cannot."""
    if syntax in (ox.RdfFormat.N_TRIPLES, ox.RdfFormat.N_QUADS):
        for number, line in enumerate(native.split(b"\n"), 1):
            try:
                store.extend(list(ox.parse(line, syntax, lenient=True)))
            except (SyntaxError, ValueError) as error:
                yield f", line {number}", str(error), line[:LONGEST]
        return
    try:
        for quad in ox.parse(native, syntax, base_iri=_RELATIVE, lenient=True, rename_blank_nodes=True):
            store.add(quad)
    except (SyntaxError, ValueError) as error:
        place = getattr(error, "lineno", None)
        yield f", line {place}" if place else "", str(error), b""


def _hostile(native: bytes, syntax: ox.RdfFormat) -> str:
    """Why these bytes must not reach the parser, or nothing."""
    if syntax == ox.RdfFormat.RDF_XML and re.search(rb"<!(DOCTYPE|ENTITY)", native, re.IGNORECASE):
        return "The file has a DOCTYPE, which can hide entities of any size. Take it out."
    if syntax == ox.RdfFormat.JSON_LD:
        level = deepest = 0
        for mark in re.finditer(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', native):
            character = native[mark.start()]
            level += (character in b"[{") - (character in b"]}")
            deepest = max(deepest, level)
            if deepest > 100:
                return "The JSON-LD nests deeper than 100 levels."
        if re.search(rb'"@context"\s*:\s*(\[[^\]{]*)?"https?:', native):
            return "The JSON-LD has its @context elsewhere on the web, and nothing is fetched while reading. Expand it first."
    return ""


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
