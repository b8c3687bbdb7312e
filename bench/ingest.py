"""Whole ingest of N synthetic records, every one validated, against one-shot `bulk_load` of its own output."""

import gzip
import shutil
from pathlib import Path
from typing import Any

from bench import generate
from bench.process import Measured, measured
from dhu_graph.releases import Shelf


def run(records: int, work: Path) -> dict[str, Any]:
    """First run, bare load of what it made, a run with nothing changed, a run with one per cent changed."""
    shutil.rmtree(work, ignore_errors=True)
    source = generate.write(work / "synthetic", records)
    data = work / "data"
    first = _ingest(source, data)
    release = Shelf(data).get()
    with gzip.open(release.graph, "rb") as packed, (work / "graph.nq").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    bare = measured(
        "import pyoxigraph as ox\n"
        f"store = ox.Store({str(work / 'bare')!r})\n"
        f"store.bulk_load(path={str(work / 'graph.nq')!r}, format=ox.RdfFormat.N_QUADS)\nstore.flush()"
    )
    again = _ingest(source, data)
    releases = len(Shelf(data).numbers())
    generate.write(work / "synthetic", records, changed=0.01)
    some = _ingest(source, data)
    landed = release.manifest["sources"]["synthetic"]["records"]
    return {
        "records": records,
        "landed": landed,
        "quads": release.manifest["quads"],
        "first_s": first.seconds,
        "bulk_load_s": bare.seconds,
        "whole_ingest_over_bulk_load": first.seconds / bare.seconds,
        "unchanged_s": again.seconds,
        "unchanged_over_first": again.seconds / first.seconds,
        "releases_after_unchanged": releases,
        "one_per_cent_changed_over_first": some.seconds / first.seconds,
        "peak_mb": first.peak_mb,
        "parent_mb": first.own_mb,
        "child_mb": first.children_mb,
        "bulk_load_peak_mb": bare.own_mb,
    }


def _ingest(source: Path, data: Path) -> Measured:
    return measured(
        "from pathlib import Path\nfrom dhu_graph import Engine\n"
        f"with Engine.open(data={str(data)!r}, embed=False) as radar:\n"
        f"    built = radar.ingest('synthetic', folder=Path({str(source)!r}))\n"
        "    assert not built.findings, built.reports[0].examples[:3]"
    )
