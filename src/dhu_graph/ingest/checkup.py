"""What a source folder still lacks before anyone should rely on it."""

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox

from dhu_graph import sources
from dhu_graph.errors import DhuError
from dhu_graph.ingest import preview
from dhu_graph.ontology import Ontology, rebased


def checkup(source: sources.Source, data: Path, ontology: Ontology) -> list[str]:
    """What is missing, unlicensed, unmapped or untested, in words; nothing where all is well."""
    return [*_described(source), *_reachable(source), *_tested(source, data, ontology)]


def _described(source: sources.Source) -> Iterator[str]:
    if not source.licence and "licence" not in source.terms:
        yield "unlicensed: `licence` is empty, and `terms` does not say why."
    if not source.schedule:
        yield "missing: `schedule` does not say how often it changes."
    if not source.shipped and not source.terms:
        yield "missing: `terms` does not say what it takes to go live."
    if not source.expect.min:
        yield "missing: `[expect]` has no lower bound, so half a file would replace the whole graph."
    yield from (
        f"missing: `[ignore]` gives no reason for {name}." for name, why in source.ignore.items() if not why
    )


def _reachable(source: sources.Source) -> Iterator[str]:
    for item in source.input:
        listed = source.folder / item.addresses if item.addresses else None
        if source.shipped:
            if not list((source.folder / source.shipped).glob(item.file)):
                yield f"missing: no file {item.file} in {source.shipped}."
        elif listed and not (listed.is_file() and listed.read_text(encoding="utf-8").strip()):
            yield f"missing: {item.addresses} names no address yet."
        elif not listed and not item.url:
            yield f"missing: {item.file} has no `url`; it can only be ingested with --from."
        if item.query and not (source.folder / item.query).is_file():
            yield f"missing: there is no {item.query}."


def _tested(source: sources.Source, data: Path, ontology: Ontology) -> Iterator[str]:
    samples = sorted(source.folder.glob("sample*"))
    if len(samples) != 1:
        yield f"untested: {len(samples)} samples; give it one file sample.*, or one folder sample/."
        return
    try:
        report, lines = preview(source, str(samples[0]), data, ontology)
    except DhuError as error:
        yield f"untested: the sample cannot be read: {error}"
        return
    for name, count in sorted(report.unmapped.items()):
        yield f"unmapped: {name} ({count} records of the sample) is neither mapped nor ignored."
    if report.quarantined:
        reasons = [example for example in report.examples if ": note: " not in example]
        yield f"untested: {report.quarantined} of the sample's records do not land: {'; '.join(reasons[:3])}"
    if not report.landed:
        yield "untested: no record of the sample lands."
    expected = source.folder / "expected.ttl"
    if not expected.is_file():
        yield "untested: there is no expected.ttl; make it with tools/golden.py and read it."
        return
    made, wanted = ox.Store(), ox.Store()
    made.load("\n".join(lines).encode(), ox.RdfFormat.N_TRIPLES)
    wanted.load(rebased(expected, ontology.base).encode(), ox.RdfFormat.TURTLE)
    if different := len(set(made) ^ set(wanted)):
        yield f"untested: the sample becomes another graph than expected.ttl; {different} triples differ."
