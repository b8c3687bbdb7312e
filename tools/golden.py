"""Write `expected.ttl` of sources anew: the triples that their samples become.

    python tools/golden.py SOURCE|FOLDER...

The sample is `ingest/SOURCE/sample.*`, or the folder `sample/` where a source has several inputs. Read the difference
before you commit it: the tests only say that the graph is as it was, a person says that it is right.
"""

import sys
import tempfile
from pathlib import Path

import rdflib
from rdflib import Graph

from dhu_graph import ingest, ontology, sources
from dhu_graph.errors import BadInput, DhuError
from dhu_graph.settings import DEFAULT_BASE


def sample(source: sources.Source) -> Path:
    """The sample of a source: one file, or a folder with a file for each input."""
    found = sorted(source.folder.glob("sample*"))
    if len(found) != 1:
        raise BadInput(
            f"{source.name} has {len(found)} samples.", "Give it one file sample.*, or one folder sample/."
        )
    return found[0]


def made(source: sources.Source) -> tuple[ingest.Report, Graph]:
    """What becomes of the sample: the report, and the triples that would land."""
    with tempfile.TemporaryDirectory() as scratch:
        report, lines = ingest.preview(source, str(sample(source)), Path(scratch), ontology.load())
    rdflib.NORMALIZE_LITERALS = False  # literals stay as they are written
    graph = Graph()
    graph.parse(data="\n".join(lines), format="nt")
    return report, graph


def pretty(graph: Graph) -> str:
    """The graph as Turtle with the prefixes of the project; equal graphs give equal text."""
    mine = {"id": "id/", "vocab": "vocab/"}
    prefixes = {**ontology.PREFIXES, **{name: DEFAULT_BASE + path for name, path in mine.items()}}
    for prefix, namespace in prefixes.items():
        graph.bind(prefix, namespace, override=True, replace=True)
    return str(graph.serialize(format="turtle"))


def main() -> int:
    """Writes the file of each source named; 1 where a record of a sample did not land."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    refused = 0
    for name in sys.argv[1:]:
        folder = Path(name)
        source = (
            sources.load(folder.name, folder) if (folder / "source.toml").is_file() else sources.load(name)
        )
        report, graph = made(source)
        (source.folder / "expected.ttl").write_text(pretty(graph), encoding="utf-8")
        refused += report.quarantined
        print(
            f"{name}: {report.landed} of {report.in_scope} records, {len(graph)} triples",
            *report.examples,
            sep="\n  ",
        )
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DhuError as error:
        sys.exit(str(error))
