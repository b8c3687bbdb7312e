"""What one source graph says of its resources, counted in one pass over its sorted lines."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from dhu_graph import quads
from dhu_graph.ingest.state import replace
from dhu_graph.ontology import DCT, OP_COUNTRY, RDF_TYPE, Ontology

BLOCK = 4_000_000
"""Bytes looked at at once."""
NOT_DESCRIBED = frozenset({"organisation", "need", "barrier", "uptake", "observation"})
"""Kinds that are parts of others or figures: nobody asks for their theme or their start year."""
FIELDS = (
    *("description", "country", "theme", "maturity", "start-year", "lead", "page", "evidence"),
    "need-or-barrier",
)
_VERSION = 1
"""Changes when the same graph would be counted otherwise."""
_DCAT = "http://www.w3.org/ns/dcat#"


@dataclass(slots=True)
class Content:
    """Counts of one source graph."""

    digest: str = ""
    resources: int = 0
    having: Counter[str] = field(default_factory=Counter)
    as_of: Counter[str] = field(default_factory=Counter)
    """Year → resources whose description speaks of it, the latest where there are several."""
    records: int = 0
    licensed: int = 0
    retrieved: Counter[str] = field(default_factory=Counter)
    """Day → records whose present content was first retrieved then."""
    countries: list[str] = field(default_factory=list)
    themes: list[str] = field(default_factory=list)
    keywords: int = 0
    dated: bool = False
    """Whether a description or a figure says of which year it speaks."""
    about: list[list[str]] = field(default_factory=list)
    """(predicate, first value) pairs of the source node."""


def content(graph: Path, digest: str, source: str, ontology: Ontology) -> Content:
    """The counts of a graph file; kept beside it, so that a graph that has not changed costs nothing."""
    key = f"{_VERSION} {ontology.fingerprint} {digest}"
    kept = graph.with_name("quality.json")
    if found := _kept(kept, key):
        return found
    counted = count(quads.blocks(graph, BLOCK), source, ontology)
    counted.digest = key
    replace(kept, json.dumps({f.name: getattr(counted, f.name) for f in fields(counted)}, sort_keys=True))
    return counted


def count(blocks: Iterable[bytes], source: str, ontology: Ontology) -> Content:
    """The counts of sorted N-Quads, given in blocks of whole lines."""
    found, countries, themes = Content(), set[str](), set[str]()
    kinds = {iri for iri, kind in ontology.resource_kinds.items() if kind not in NOT_DESCRIBED}
    themes_known = ontology.schemes.get(ontology.iri("vocab/theme"), set())
    node = ontology.iri(f"id/source/{source}")
    ns, record = ontology.iri("ns#"), ontology.iri("ns#Record")
    for subject, values in _subjects(blocks, _wanted(ontology), node):
        types = values.get(RDF_TYPE, [])
        if subject == node:
            found.about = [[predicate, held[0]] for predicate, held in sorted(values.items())]
            continue
        if record in types:
            found.records += 1
            found.licensed += DCT + "license" in values
            found.retrieved.update(v[:10] for v in values.get(ns + "firstRetrieved", [])[:1])
            continue
        countries.update(v for v in values.get(ns + "refArea", []) if v.startswith(OP_COUNTRY + "/"))
        found.dated = found.dated or ns + "period" in values or ns + "asOf" in values
        if not kinds.intersection(types):
            continue
        found.resources += 1
        places = [v for v in values.get(DCT + "spatial", []) if v.startswith(OP_COUNTRY + "/")]
        countries.update(places)
        themes.update(v for v in values.get(_DCAT + "theme", []) if v in themes_known)
        found.keywords += _DCAT + "keyword" in values or ns + "technologyText" in values
        years = sorted(values.get(ns + "asOf", []))
        found.as_of.update(years[-1:])
        has = {
            "description": DCT + "description" in values,
            "country": bool(places),
            "theme": _DCAT + "theme" in values,
            "maturity": ns + "maturity" in values,
            "start-year": ns + "startYear" in values,
            "lead": ns + "lead" in values,
            "page": _DCAT + "landingPage" in values,
            "evidence": ns + "evidence" in values,
            "need-or-barrier": ns + "need" in values or ns + "barrier" in values,
        }
        found.having.update(name for name in FIELDS if has[name])
    found.countries, found.themes = sorted(countries), sorted(themes)
    return found


def _wanted(ontology: Ontology) -> dict[bytes, str]:
    """The predicates that matter, as they stand in a line; most of a graph are other statements."""
    ns = ontology.iri("ns#")
    own = ("maturity", "startYear", "lead", "evidence", "need", "barrier", "asOf", "firstRetrieved")
    named = [RDF_TYPE, *(DCT + name for name in ("description", "license", "spatial"))]
    named += [_DCAT + name for name in ("theme", "landingPage", "keyword")]
    named += [ns + name for name in (*own, "refArea", "period", "technologyText")]
    return {f"<{iri}>".encode(): iri for iri in named}


def _subjects(
    blocks: Iterable[bytes], wanted: dict[bytes, str], node: str
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """(subject, predicate → values): the wanted statements of resources and records, all of `node`, none of parts.

    Lines of one subject stand together. Of a text the start is given.
    """
    current, held = b"", dict[str, list[str]]()
    about = f"<{node}>".encode()
    for block in blocks:
        for line in block.splitlines():
            subject, predicate, rest = line.split(b" ", 2)
            name = wanted.get(predicate)
            if name is None:
                if subject != about:
                    continue
                name = predicate[1:-1].decode()
            if subject != current:
                if b"#" in subject:
                    continue
                if held:
                    yield current[1:-1].decode(), held
                current, held = subject, {}
            held.setdefault(name, []).append(_value(rest))
    if held:
        yield current[1:-1].decode(), held


def _value(rest: bytes) -> str:
    """The IRI that begins a rest of a line, or the start of its text."""
    value = rest[1 : rest.index(b">")] if rest.startswith(b"<") else rest[1:30].partition(b'"')[0]
    return value.decode("utf-8", "replace")


def _kept(path: Path, key: str) -> Content | None:
    try:
        found = Content(**json.loads(path.read_text(encoding="utf-8")))
        if found.digest != key:
            return None
        found.having, found.as_of = Counter(found.having), Counter(found.as_of)
        found.retrieved = Counter(found.retrieved)
        return found
    except (OSError, ValueError, TypeError):
        return None
