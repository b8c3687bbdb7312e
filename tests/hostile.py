"""What the tests of hostile files share: an ingest to the end, and a reading in a process whose memory is measured."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from dhu_graph import quads, sources
from dhu_graph.ingest import Report, State, ingest
from dhu_graph.model import Record
from dhu_graph.ontology import Ontology
from dhu_graph.sources import File, Input, Unreadable, records

_TITLE = ox.NamedNode("http://purl.org/dc/terms/title")
_KIND = ox.NamedNode("https://w3id.org/dhu/ns#GoodPractice")

_MEASURE = """
import json, resource, sys, time
from pathlib import Path
from dhu_graph.sources import File, Input, Unreadable, records
path, how = Path(sys.argv[1]), json.loads(sys.argv[2])
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
ids, reasons = [], []
for entry in records(File(Input(**how), path.name, path)):
    (reasons if isinstance(entry, Unreadable) else ids).append(
        f"{entry.where}: {entry.reason}" if isinstance(entry, Unreadable) else entry.id)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([ids, reasons, (after - before) / 1024, time.monotonic() - begun]))
"""


def read(path: Path, content: bytes, **how: Any) -> list[Record | Unreadable]:
    """What a reader makes of these bytes; the format is the ending of the name."""
    path.write_bytes(content)
    how = {"file": path.name, "format": path.suffix[1:], "id": "id", **how}
    return list(records(File(Input(**how), path.name, path)))


def told(entries: list[Record | Unreadable]) -> list[str]:
    """The id of each record, `!`, its place and the reason for each unreadable one."""
    return [e.id if isinstance(e, Record) else f"!{e.where}: {e.reason}" for e in entries]


def measured(path: Path, **how: Any) -> tuple[list[str], list[str], float, float]:
    """(ids, places and reasons, MB by which the memory grew, seconds) of a reading in a process of its own."""
    how = {"file": path.name, "format": path.suffix[1:], "id": "id", **how}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path), json.dumps(how)], capture_output=True, timeout=60
    )
    assert done.returncode == 0 and not done.stderr, done.stderr[-2_000:]
    ids, reasons, grown, seconds = json.loads(done.stdout)
    return ids, reasons, grown, seconds


class Landed:
    """What became of an ingest: its report, the titles in the graph, and the quarantine."""

    def __init__(self, source: sources.Source, location: Path | str, data: Path, ontology: Ontology) -> None:
        self.report: Report = ingest(source, str(location), data, ontology, processes=1)
        state = State(data / "sources" / source.name)
        self.lines = list(quads.read(state.graph))
        store = ox.Store()
        store.load(b"".join(self.lines), ox.RdfFormat.N_QUADS)
        self.titles = sorted(
            title.object.value
            for q in store.quads_for_pattern(None, None, _KIND, None)
            for title in store.quads_for_pattern(q.subject, _TITLE, None, None)
        )
        rows = state.quarantine.read_text(encoding="utf-8").splitlines()
        self.refused: list[dict[str, Any]] = [json.loads(row) for row in rows]

    @property
    def reasons(self) -> str:
        """All places and reasons of the quarantine."""
        return "\n".join(f"{row['where']}: {' '.join(row['reasons'])}" for row in self.refused)


Run = Callable[..., Landed]
"""`run("r.csv", content, input="…")`: ingests bytes under a name; the format is its ending, if not told."""
