"""The quality of each source in a release: `measure` computes it when a release is built, `read` gives it back.

Nothing here asks the web, except `links`, which no build calls.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from dhu_graph.ingest import Report
from dhu_graph.link import Linked
from dhu_graph.ontology import OP_COUNTRY, Ontology
from dhu_graph.quality.content import FIELDS, Content, content
from dhu_graph.quality.measurement import Measurement, quads, read, share, turtle
from dhu_graph.quality.points import indicators

__all__ = ["Measurement", "inputs", "measure", "quads", "read", "turtle"]

_UNION = OP_COUNTRY + "/EUR"


def measure(
    reports: Iterable[Report], linked: Linked, sources: Path, ontology: Ontology
) -> list[Measurement]:
    """Every figure of every source. `sources` is the folder of the source graphs. Same inputs, same figures."""
    reports = sorted(reports, key=lambda report: report.source)
    joined, waiting = _joined(linked), _waiting(linked)
    figures: list[Measurement] = []
    for report in reports:
        name = report.source
        held = content(sources / name / "graph.nq.gz", report.digest, name, ontology)
        figures += _completeness(name, held)
        figures += _freshness(name, held)
        figures += _conformity(report)
        figures.append(Measurement(name, "things-joined", str(joined[name])))
        figures.append(Measurement(name, "pairs-waiting", str(waiting[name])))
        figures += _coverage(name, held, ontology)
        figures += _points(name, held, report)
    return figures


def inputs(reports: Iterable[Report]) -> str:
    """Changes with what `measure` takes from the reports alone, and with the code; the rest changes graphs or links."""
    told = [
        [r.source, sorted(r.conformity.items()), r.formats] for r in sorted(reports, key=lambda r: r.source)
    ]
    code = sorted(path.read_bytes() for path in Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(json.dumps(told).encode() + b"\0".join(code)).hexdigest()


def _completeness(name: str, held: Content) -> Iterator[Measurement]:
    if held.resources:
        for part in FIELDS:
            yield Measurement(name, f"with-{part}", share(held.having[part], held.resources))
    if held.records:
        yield Measurement(name, "with-licence", share(held.licensed, held.records))


def _freshness(name: str, held: Content) -> Iterator[Measurement]:
    if held.as_of:
        yield Measurement(name, "as-of-median", _median(held.as_of))
        for year, count in sorted(held.as_of.items()):
            yield Measurement(name, "as-of-share", share(count, held.resources), year=year)
    if held.retrieved:
        yield Measurement(name, "retrieved-median", _median(held.retrieved))
        years = Counter[str]()
        for day, count in held.retrieved.items():
            years[day[:4]] += count
        for year, count in sorted(years.items()):
            yield Measurement(name, "retrieved-share", share(count, held.records), year=year)


def _conformity(report: Report) -> Iterator[Measurement]:
    """From the run that the graph comes from; nothing where its report is older than these counts."""
    for key, count in sorted(report.conformity.items()):
        metric, colon, shape = key.partition(":")
        if colon:
            yield Measurement(report.source, "findings-by-shape", str(count), part=shape)
        else:
            yield Measurement(report.source, metric, str(count))


def _coverage(name: str, held: Content, ontology: Ontology) -> Iterator[Measurement]:
    here = set(held.countries) - {_UNION}
    missing = tuple(sorted(ontology.members - here))
    yield Measurement(name, "resources", str(held.resources))
    yield Measurement(name, "countries", str(len(here)))
    yield Measurement(name, "themes", str(len(held.themes)))
    yield Measurement(
        name, "eu-countries-without", str(len(missing)), most=len(ontology.members), places=missing
    )


def _points(name: str, held: Content, report: Report) -> Iterator[Measurement]:
    """The points of each dimension, and of each indicator in it."""
    reached, possible = Counter[str](), Counter[str]()
    for one in indicators(held, report.formats):
        points = one.points * one.met
        reached[one.dimension] += points
        possible[one.dimension] += one.points
        yield Measurement(name, f"{one.dimension}-points", str(points), part=one.name, most=one.points)
    for dimension, most in possible.items():
        yield Measurement(name, f"{dimension}-points", str(reached[dimension]), most=most)


def _joined(linked: Linked) -> Counter[str]:
    """Source → the things joined that it tells of."""
    found = Counter[str]()
    for thing in linked.things:
        found.update({linked.sources.get(iri, "") for iri in (thing.iri, *thing.others)} - {""})
    return found


def _waiting(linked: Linked) -> Counter[str]:
    """Source → the pairs waiting for a person that it has a part in."""
    found = Counter[str]()
    for pair in linked.review:
        found.update({linked.sources.get(iri, "") for iri in (pair.left, pair.right)} - {""})
    return found


def _median(counts: Counter[str]) -> str:
    """The lower median of ISO years or days, given how often each occurs."""
    half = (sum(counts.values()) + 1) // 2
    for value in sorted(counts):
        half -= counts[value]
        if half <= 0:
            return value
    raise ValueError("nothing to take a median of")
