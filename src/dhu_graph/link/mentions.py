"""Mentions: what the source graphs say of each resource and organisation that could be one thing with another."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dhu_graph import quads
from dhu_graph.ontology import OP_COUNTRY, RDF_TYPE, Ontology

_DCT = "http://purl.org/dc/terms/"
_FOAF = "http://xmlns.com/foaf/0.1/"
_SUMMARY = 400
"""Characters of a description that tell what a resource is; the rest repeats it."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One resource or organisation as one source describes it.

    `names` are its titles and other names, the title first; `countries` codes of the EU table; `of` the resource that
    names a party, and for a resource its lead and partners by name.
    """

    iri: str
    source: str
    kind: str
    names: tuple[str, ...]
    pages: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()
    parties: tuple[str, ...] = ()
    summary: str = ""

    @property
    def is_organisation(self) -> bool:
        """Whether it is an organisation, a body or a partner; everything else is a resource."""
        return self.kind in ("organisation", "party")

    @property
    def text(self) -> str:
        """What is embedded of it: its name and what it is."""
        return f"{self.names[0]}\n{self.summary}"

    @property
    def digest(self) -> bytes:
        """Eight bytes that change with whatever could change a decision about it."""
        parts = (
            *self.names,
            "",
            *self.pages,
            "",
            *self.identifiers,
            "",
            *sorted(self.countries),
            "",
            *self.parties,
        )
        return hashlib.blake2b(
            "\x1f".join((self.kind, self.source, *parts, self.summary)).encode(), digest_size=8
        ).digest()


@dataclass(slots=True)
class _Gathered:
    types: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    parties: list[str] = field(default_factory=list)
    summaries: list[str] = field(default_factory=list)


def mentions(graphs: dict[str, Path], ontology: Ontology) -> list[Mention]:
    """All mentions of the graphs (source → sorted N-Quads, gzipped), in the order of their IRIs."""
    found = [mention for source, path in sorted(graphs.items()) for mention in _of(source, path, ontology)]
    return sorted(found, key=lambda mention: (mention.iri, mention.source))


def _of(source: str, path: Path, ontology: Ontology) -> Iterator[Mention]:
    ns = ontology.base + "ns#"
    wanted = {
        RDF_TYPE: "types",
        _DCT + "title": "titles",
        _FOAF + "name": "titles",
        _DCT + "alternative": "others",
        "http://www.w3.org/2004/02/skos/core#altLabel": "others",
        "http://www.w3.org/ns/dcat#landingPage": "pages",
        _FOAF + "homepage": "pages",
        _DCT + "identifier": "identifiers",
        _DCT + "spatial": "places",
        ns + "lead": "parties",
        ns + "partner": "parties",
        _DCT + "description": "summaries",
    }
    kinds = {iri: kind for iri, kind in ontology.resource_kinds.items() if kind not in _PARTS}
    kinds |= {ns + "Organisation": "organisation", ns + "Party": "party"}
    countries = ontology.schemes[OP_COUNTRY]
    gathered: dict[str, _Gathered] = {}
    fields = {f"<{predicate}>".encode(): what for predicate, what in wanted.items()}
    before, node = b"", _Gathered()
    for line in quads.read(path):
        subject, predicate, rest = line.split(b" ", 2)
        if (what := fields.get(predicate)) is None:
            continue
        if subject != before:  # the lines of one subject stand together
            before, node = subject, _Gathered()
            gathered[subject[1:-1].decode()] = node
        value = rest.rsplit(b" ", 2)[0]
        if value.startswith(b"<"):
            getattr(node, what).append(value[1:-1].decode())
        elif value.startswith(b'"'):
            getattr(node, what).append(_plain(value[1 : value.rindex(b'"')]))
    for iri, node in gathered.items():
        kind = next((kinds[t] for t in sorted(node.types) if t in kinds), None)
        if kind is None or not node.titles:
            continue
        owner = gathered.get(iri.partition("#")[0]) if kind == "party" else None
        places = {p for p in (owner or node).places if p in countries}
        yield Mention(
            iri,
            source,
            kind,
            (*dict.fromkeys([*sorted(node.titles), *sorted(node.others)]),),
            tuple(sorted(set(node.pages))),
            tuple(sorted(set(node.identifiers))),
            # A partner of a resource in several countries may be of any of them.
            frozenset(map(ontology.notation, places)) if kind != "party" or len(places) == 1 else frozenset(),
            tuple(sorted(n for p in node.parties if p in gathered for n in gathered[p].titles)),
            node.summaries[0][:_SUMMARY] if node.summaries else "",
        )


_PARTS = ("need", "barrier", "uptake", "indicator", "observation")
"""Kinds that belong to one record and are never the same as another's."""


def _plain(text: bytes) -> str:
    return _ESCAPE.sub(lambda m: _ESCAPED[m[1]], text.decode()) if b"\\" in text else text.decode()


_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: dict[str, str] = defaultdict(str, {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"})
