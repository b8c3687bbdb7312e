"""From the bytes of an input to its records: one module a family of formats, one generator a format.

Each yields what it can read and names what it cannot; what stands before and after a bad record is read all the same.
"""

from collections.abc import Callable, Iterator

from dhu_graph.model import Record
from dhu_graph.sources.config import Input
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers import graph, jsons, sheets, tables, trees
from dhu_graph.sources.readers.common import (
    DEEPEST,
    LONGEST,
    LONGEST_ID,
    MOST_VALUES,
    Unreadable,
    in_scope,
    too_many,
    values_at,
)
from dhu_graph.sources.readers.wide import as_utf8

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
    try:
        with as_utf8(file) as (readable, problem):
            for entry in READERS[file.input.format](readable) if readable else ():
                yield entry if isinstance(entry, Unreadable) else _checked(file.input, entry)
            if problem:
                yield Unreadable(file.name, b"", problem)
    except Exception as error:
        # Readers name what they know of; whatever else a hostile file makes their libraries say must not end the run.
        words = f"From here on the file cannot be read: {type(error).__name__}: {str(error)[:500]}."
        yield Unreadable(file.name, b"", words)


def _checked(item: Input, entry: Record) -> Record | Unreadable:
    reason = ""
    if not entry.id and not in_scope(item, entry):
        # What does not concern us need not be identified; a Bundle holds many a thing besides.
        return Record(entry.where, entry.where, entry.native, entry.fields)
    if not entry.id:
        reason = f"The field {item.id!r}, which identifies the record, is empty or missing."
    elif len(entry.id) > LONGEST_ID:
        reason = f"The identifier is longer than {LONGEST_ID:,} characters."
    else:
        name = f"{item.name}-{entry.id}" if item.name and not item.joined else entry.id
        divided = _divided(item.split, entry, name)
        if len(entry.native) < MOST_VALUES or not too_many(divided.fields):
            return divided
        reason = f"The record has more than {MOST_VALUES:,} values."
    return Unreadable(entry.where, entry.native, reason)


def _divided(split: dict[str, str], entry: Record, identifier: str) -> Record:
    fields = dict(entry.fields)
    for name, separator in split.items():
        value = fields.get(name)
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(separator)]
            fields[name] = [part for part in parts if part]
    return Record(identifier, entry.where, entry.native, fields)
