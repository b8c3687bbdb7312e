"""From the bytes of an input to its records: one module a family of formats, one generator a format.

Each yields what it can read and names what it cannot; what stands before and after a bad record is read all the same.
"""

from collections.abc import Callable, Iterator

from dhu_graph.model import Record
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers import graph, jsons, sheets, tables, trees
from dhu_graph.sources.readers.common import DEEPEST, LONGEST, Unreadable, in_scope, values_at

__all__ = ["DEEPEST", "LONGEST", "Unreadable", "in_scope", "records", "values_at"]

Reader = Callable[[File], Iterator[Record | Unreadable]]

READERS: dict[str, Reader] = {
    "csv": tables.csv,
    "xlsx": sheets.xlsx,
    "jsonl": jsons.jsonl,
    "json": jsons.json,
    "jsonstat": jsons.jsonstat,
    "yaml": trees.yaml,
    "xml": trees.xml,
    "rdf": graph.rdf,
}


def records(file: File) -> Iterator[Record | Unreadable]:
    """All records of a file, in its order, in and out of scope alike."""
    item = file.input
    for entry in READERS[item.format](file):
        if isinstance(entry, Unreadable):
            yield entry
            continue
        if not entry.id and not in_scope(item, entry):
            # What does not concern us need not be identified; a Bundle holds many a thing besides.
            yield Record(entry.where, entry.where, entry.native, entry.fields)
            continue
        if not entry.id:
            yield Unreadable(
                entry.where,
                entry.native,
                f"The field {item.id!r}, which identifies the record, is empty or missing.",
            )
            continue
        yield _divided(
            item.split, entry, f"{item.name}-{entry.id}" if item.name and not item.joined else entry.id
        )


def _divided(split: dict[str, str], entry: Record, identifier: str) -> Record:
    fields = dict(entry.fields)
    for name, separator in split.items():
        value = fields.get(name)
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(separator)]
            fields[name] = [part for part in parts if part]
    return Record(identifier, entry.where, entry.native, fields)
