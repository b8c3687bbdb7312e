"""Sources: folders under `ingest/`, each saying in `source.toml` what it is and how it is read.

fetch (a folder of the project, a path, or addresses; pages, archives) → bytes of each input → records, by a reader per
format → where the source says so, joined
"""

from collections.abc import Iterator
from pathlib import Path

from dhu_graph.model import Record
from dhu_graph.sources.config import Input, Scoped, Source, load, names
from dhu_graph.sources.fetch import File, fetch
from dhu_graph.sources.joined import joined
from dhu_graph.sources.readers import LONGEST, Unreadable, in_scope, records

__all__ = [
    "LONGEST",
    "File",
    "Input",
    "Scoped",
    "Source",
    "Unreadable",
    "entries",
    "fetch",
    "in_scope",
    "load",
    "names",
    "records",
]


def entries(source: Source, files: list[File], scratch: Path) -> Iterator[tuple[bool, Record | Unreadable]]:
    """(whether it concerns us, entry) for all entries of a source, joined where it says so; the unreadable always do."""
    if not source.join:
        for file in files:
            for entry in records(file):
                yield isinstance(entry, Unreadable) or in_scope(file.input, entry), entry
        return
    parts = (
        (file.input, entry)
        for file in files
        for entry in records(file)
        if isinstance(entry, Unreadable) or in_scope(file.input, entry)
    )
    for entry in joined(source, parts, scratch):
        yield isinstance(entry, Unreadable) or in_scope(source, entry), entry
