"""What one source graph says of its resources, counted in one pass over its sorted lines."""

import json
import re
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
    for subject, statements in _subjects(blocks, _wanted(ontology, node)):
        values: dict[str, list[str]] = {}
        for predicate, value in statements:
            values.setdefault(predicate, []).append(value)
        types = values.get(RDF_TYPE, [])
        if subject == node:
            found.about = sorted([p, v[0]] for p, v in values.items())
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


def _wanted(ontology: Ontology, node: str) -> re.Pattern[bytes]:
    """Matches the lines that matter, so that Python sees no others; most of a graph are statements of parts."""
    ns = ontology.iri("ns#")
    names = ("maturity", "startYear", "lead", "evidence", "need", "barrier", "asOf", "firstRetrieved")
    predicates = [RDF_TYPE, *(DCT + n for n in ("description", "license", "spatial"))]
    predicates += [_DCAT + n for n in ("theme", "landingPage", "keyword")]
    predicates += [ns + n for n in (*names, "refArea", "period", "technologyText")]
    some = b"|".join(re.escape(p.encode()) for p in sorted(predicates))
    mine = re.escape(node.encode())
    # A subject with # is a part of another; the value ends where its quotes or its brackets do.
    return re.compile(
        rb'^<([^>#]+)> <(%s)> (?:<([^>]*)>|"((?:[^"\\]|\\.){0,20}))|^<(%s)> <([^>]+)> (?:<([^>]*)>|"((?:[^"\\]|\\.){0,20}))'
        % (some, mine),
        re.MULTILINE,
    )


def _subjects(
    blocks: Iterable[bytes], wanted: re.Pattern[bytes]
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(subject, its wanted statements); the start of a text will do. Lines of one subject stand together."""
    current, held = b"", list[tuple[str, str]]()
    for block in blocks:
        for match in wanted.finditer(block):
            subject, predicate, iri, text, mine, other, other_iri, other_text = match.groups()
            subject, predicate = subject or mine, predicate or other
            if subject != current:
                if held:
                    yield current.decode(), held
                current, held = subject, []
            value = iri or other_iri or text or other_text or b""
            held.append((predicate.decode(), value.decode("utf-8", "replace")))
    if held:
        yield current.decode(), held


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
