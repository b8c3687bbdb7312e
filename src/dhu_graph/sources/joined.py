"""Joining inputs: the parts that share an identifier become one record, with each input's part under its name.

The parts wait in a SQLite file, so that a join of any size needs little memory.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from dhu_graph.model import Record
from dhu_graph.sources.config import Input, Source
from dhu_graph.sources.readers import LONGEST, Unreadable

MOST_PARTS = 5_000
"""Most parts of one record; a record of more, or of more than LONGEST bytes, is refused: it could fill the memory."""


def joined(
    source: Source, entries: Iterable[tuple[Input, Record | Unreadable]], scratch: Path
) -> Iterator[Record | Unreadable]:
    """The joined records, in the order of their identifiers; before them whatever could not be read."""
    with sqlite3.connect(scratch / "join.sqlite") as parts:
        parts.execute("CREATE TABLE part (id TEXT, input INT, at INT, place TEXT, native BLOB, fields TEXT)")
        order = [item.name for item in source.input]
        for at, (item, entry) in enumerate(entries):
            if isinstance(entry, Unreadable):
                yield entry
                continue
            row = (entry.id, order.index(item.name), at, entry.where, entry.native, json.dumps(entry.fields))
            parts.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", row)
        rows = parts.execute("SELECT id, input, place, native, fields FROM part ORDER BY id, input, at")
        for identifier, group in groupby(rows, key=lambda row: row[0]):
            yield from _record(source, str(identifier), group)


def _record(
    source: Source, identifier: str, rows: Iterator[tuple[Any, ...]]
) -> Iterator[Record | Unreadable]:
    fields: dict[str, Any] = {"id": identifier}
    places: list[str] = []
    natives: list[bytes] = []
    size = 0
    for count, (_, number, place, native, text) in enumerate(rows, 1):
        item, part = source.input[number], json.loads(text)
        name = str(item.name)
        size += len(native)
        if count > MOST_PARTS or size > LONGEST:
            words = f"More than {MOST_PARTS:,} parts or {LONGEST:,} bytes share {identifier!r}."
            yield Unreadable(f"{place} and before", b"", words)
            return
        places.append(place)
        natives.append(native)
        if item.joined == "many":
            fields.setdefault(name, []).append(part)
        elif name in fields:
            words = f"A second part with the identifier {identifier!r}; the first is kept. Give each its own."
            yield Unreadable(place, native, words)
        else:
            fields[name] = part
    if source.join == "left" and str(source.input[0].name) not in fields:
        return
    yield Record(
        identifier, " + ".join(places[:3]) + (" …" if len(places) > 3 else ""), b"\n".join(natives), fields
    )
