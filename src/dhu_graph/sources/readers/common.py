"""What all readers share: the unreadable, the limits, and how a field of a tree is found."""

import codecs
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dhu_graph.model import Record
from dhu_graph.sources.config import Input, Scoped

LONGEST = 5_000_000
"""Longest single record, in bytes; nothing real comes near, and a hostile one must not fill the memory."""
DEEPEST = 20
"""Deepest nesting of a record."""
MOST_VALUES = 20_000
"""Most values of one record: a map may set each of them against each other one."""
MOST_COLUMNS = 10_000
"""Most columns of a table."""
LONGEST_ID = 100_000
"""Longest identifier of a record; those of all records are in memory."""
FILE_NAME = "@file"
"""As `id`: the record goes by the name of its file, without the folder and the endings."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read: where it stands, its native bytes, and why."""

    where: str
    native: bytes
    reason: str


def in_scope(item: Scoped, record: Record) -> bool:
    """Whether a record concerns us, by `scope` and `skip` of its input, or of the source where inputs are joined."""
    return all(
        not set(wanted).isdisjoint(values_at(record.fields, path)) for path, wanted in item.scope.items()
    ) and all(set(barred).isdisjoint(values_at(record.fields, path)) for path, barred in item.skip.items())


def values_at(fields: Any, path: str) -> list[str]:
    """The values at a path into a tree, as texts: `sectors`, `header.status`; lists on the way are gone through.

    A key that itself holds a dot is found by its whole name first.
    """
    if isinstance(fields, list):
        return [value for each in fields for value in values_at(each, path)]
    if not isinstance(fields, Mapping):
        return []
    if path in fields:
        found = fields[path]
        leaves = found if isinstance(found, list) else [found]
        return [str(leaf) for leaf in leaves if leaf is not None and not isinstance(leaf, (list, Mapping))]
    head, dot, rest = path.partition(".")
    return values_at(fields[head], rest) if dot and head in fields else []


def identifier(item: Input, fields: Any, name: str) -> str:
    """The origin's own identifier of a record, or nothing; `name` is that of its file."""
    if item.id == FILE_NAME:
        return PurePosixPath(name).name.split(".", 1)[0]
    return next((value.strip() for value in values_at(fields, item.id)), "")


def depth(value: Any, level: int = 0) -> int:
    """How deeply lists and objects nest, counted up to DEEPEST + 1."""
    if level > DEEPEST or not isinstance(value, (dict, list)):
        return level
    return max(
        (depth(v, level + 1) for v in (value.values() if isinstance(value, dict) else value)), default=level
    )


def too_many(fields: Any) -> bool:
    """Whether a tree has more than MOST_VALUES values."""
    left, waiting = MOST_VALUES, [fields]
    while waiting and left >= 0:
        value = waiting.pop()
        inner = list(value.values()) if isinstance(value, dict) else value
        left -= len(inner)
        waiting += [each for each in inner if isinstance(each, (dict, list))]
    return left < 0


def header_problem(header: list[str]) -> str:
    """Why these names of columns cannot be used, or nothing."""
    if len(header) > MOST_COLUMNS:
        return f"There are {len(header):,} columns; at most {MOST_COLUMNS:,} are taken."
    twice = sorted(name for name, count in Counter(filter(None, header)).items() if count > 1)
    if twice:
        return f"The columns {', '.join(map(repr, twice[:20]))} stand there twice; one of each would be lost."
    return ""


def texts(value: Any) -> Iterator[str]:
    """All keys and texts of a tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        yield from value
        yield from texts(list(value.values()))


def broken_text(text: str, encoding: str) -> str:
    """What is wrong with a text that was decoded with surrogates, or nothing."""
    if "\0" in text:
        return "The text holds a NUL character."
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"The text is not valid {encoding} near {text[max(0, error.start - 20) : error.start]!r}."
    return ""


def misread(native: bytes, encoding: str) -> str:
    """What is wrong where bytes are UTF-8 though the source says otherwise, or nothing.

    Nearly any bytes are a text in Windows-1252, so this is the only way to tell that they were not meant as one.
    """
    if native.isascii() or codecs.lookup(encoding).name.startswith("utf"):
        return ""
    try:
        native.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return f"The text is UTF-8, not {encoding}. Mend `encoding` in source.toml, or the file."


def whole(path: Path, limit: int) -> bytes | None:
    """The bytes of a small file, or None where it is larger than `limit`."""
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    return content if len(content) <= limit else None
