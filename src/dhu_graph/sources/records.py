"""From the bytes of an input to its records. One generator per format; each yields what it can read and names what it cannot."""

import csv
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dhu_graph.model import Record
from dhu_graph.sources.config import Input
from dhu_graph.sources.fetch import File

LONGEST = 5_000_000
"""Longest single record, in bytes; nothing real comes near, and a hostile one must not fill the memory."""
DEEPEST = 20
"""Deepest nesting of a JSON record."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that could not be read: where it stands, its native bytes, and why."""

    where: str
    native: bytes
    reason: str


def records(file: File) -> Iterator[Record | Unreadable]:
    """All records of a file, in its order, in and out of scope alike."""
    item = file.input
    for entry in READERS[item.format](file):
        yield entry if isinstance(entry, Unreadable) else _identified(item, entry)


def in_scope(item: Input, record: Record) -> bool:
    """Whether a record concerns us, by the `scope` of its input."""
    return all(
        not set(wanted).isdisjoint(_values(record.fields.get(name))) for name, wanted in item.scope.items()
    )


def _identified(item: Input, entry: Record) -> Record | Unreadable:
    if not entry.id:
        return Unreadable(
            entry.where,
            entry.native,
            f"The field {item.id!r}, which identifies the record, is empty or missing.",
        )
    for name, separator in item.split.items():
        value = entry.fields.get(name)
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(separator)]
            entry = Record(
                entry.id, entry.where, entry.native, {**entry.fields, name: [p for p in parts if p]}
            )
    return Record(f"{item.name}-{entry.id}", entry.where, entry.native, entry.fields) if item.name else entry


def _csv(file: File) -> Iterator[Record | Unreadable]:
    item = file.input
    with file.path.open(encoding=item.encoding, errors="surrogateescape", newline="") as stream:
        lines = _Counted(stream)
        reader = csv.reader(lines, delimiter=item.delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            header = []
            yield Unreadable(f"{file.name}, line 1", b"", f"The header cannot be read: {error}.")
        if twice := sorted({name for name in header if header.count(name) > 1}):
            words = f"The columns {', '.join(map(repr, twice))} stand there twice; one of each would be lost."
            yield Unreadable(f"{file.name}, line 1", lines.take(), words)
            return
        missing = [name for name in dict.fromkeys([item.id, *item.scope, *item.split]) if name not in header]
        if header and missing:
            odd = any("\udc80" <= c <= "\udcff" for c in "".join(header))
            yield Unreadable(
                f"{file.name}, line 1",
                lines.take(),
                f"There is no column {', '.join(map(repr, missing))}; the columns are {', '.join(header)}."
                + (f' The text is not {item.encoding}: try encoding = "latin-1" or "cp1252".' if odd else ""),
            )
            return
        lines.take()
        while header:
            start = reader.line_num + 1
            where = f"{file.name}, line {start}"
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield Unreadable(where, lines.take(), f"The row cannot be read as CSV: {error}.")
                continue
            native = lines.take()
            if row is None:
                return
            if not any(cell.strip() for cell in row):
                continue
            problem = _broken_text("".join(row), item.encoding)
            if problem:
                yield Unreadable(where, native, problem)
            elif len(row) != len(header):
                yield Unreadable(where, native, f"The row has {len(row)} cells, the header {len(header)}.")
            else:
                fields = {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
                yield Record(fields.get(item.id, "").strip(), where, native, fields)


def _jsonl(file: File) -> Iterator[Record | Unreadable]:
    item = file.input
    with file.path.open("rb") as stream:
        for number in itertools.count(1):
            native = stream.readline(LONGEST + 1)
            where = f"{file.name}, line {number}"
            if not native:
                return
            if len(native) > LONGEST:
                while native and not native.endswith(b"\n"):
                    native = stream.readline(LONGEST)
                yield Unreadable(where, b"", f"The line is longer than {LONGEST:,} bytes.")
                continue
            native = native.rstrip(b"\r\n")
            if not native.strip():
                continue
            try:
                fields = json.loads(native.decode(item.encoding), parse_constant=_no_constant)
            except (ValueError, RecursionError) as error:
                yield Unreadable(where, native, f"The line is not valid JSON: {error}.")
                continue
            # Counting brackets costs little, and only a line with many of them can nest deeply.
            suspect = native.count(b"{") + native.count(b"[") > DEEPEST
            if not isinstance(fields, dict) or (suspect and _depth(fields) > DEEPEST):
                yield Unreadable(
                    where, native, f"The line is not one JSON object of at most {DEEPEST} levels."
                )
                continue
            # Only an escape can bring in a NUL or half a character: the line itself was valid.
            problem = _broken_text("".join(_texts(fields)), item.encoding) if b"\\u" in native else ""
            if problem:
                yield Unreadable(where, native, problem)
                continue
            identifier = fields.get(item.id)
            yield Record("" if identifier is None else str(identifier).strip(), where, native, fields)


def _jsonstat(file: File) -> Iterator[Record | Unreadable]:
    """One record per cell of a JSON-stat cube (https://json-stat.org/full/), or of Eurostat's reduced form with `dims`.

    The id joins the codes of the dimensions that have more than one category: `GR-2024`.
    """
    native = file.path.read_bytes()
    try:
        cube = json.loads(native.decode(file.input.encoding), parse_constant=_no_constant)
        ids: list[str] = cube["id"]
        size: list[int] = cube["size"]
        axes = [_categories(cube, name) for name in ids]
        values = cube["value"]
        cells = values.items() if isinstance(values, dict) else enumerate(values)
        if [len(axis) for axis in axes] != size:
            raise ValueError("`size` does not fit the categories")
        status: Mapping[str, str] = cube.get("status") or {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield Unreadable(file.name, native[:LONGEST], f"The file is not a JSON-stat cube: {error!r}.")
        return
    for raw, value in cells:
        where = f"{file.name}, cell {raw}"
        cell = json.dumps({str(raw): value}).encode()
        try:
            rest, codes = int(raw), []
            for axis in reversed(axes):
                rest, position = divmod(rest, len(axis))
                codes.append(axis[position])
            if rest:
                raise ValueError("the number lies outside the cube")
        except (ValueError, TypeError) as error:
            yield Unreadable(where, cell, f"The cell cannot be placed: {error}.")
            continue
        fields: dict[str, Any] = dict(zip(ids, reversed(codes), strict=True))
        identifier = "-".join(fields[name] for name, axis in zip(ids, axes, strict=True) if len(axis) > 1)
        if value is not None:
            flag = {"status": status[str(raw)]} if str(raw) in status else {}
            yield Record(identifier, where, cell, {**fields, "value": value, **flag})


def _categories(cube: Mapping[str, Any], name: str) -> list[str]:
    index = cube["dims"][name] if "dims" in cube else cube["dimension"][name]["category"]["index"]
    return sorted(index, key=index.__getitem__) if isinstance(index, dict) else list(index)


READERS: dict[str, Callable[[File], Iterator[Record | Unreadable]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "jsonstat": _jsonstat,
}


class _Counted:
    """Lines of a text stream, keeping those taken since the last record, so that its native bytes can be shown."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._held: list[str] = []
        self._size = 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST)
        if not line:
            raise StopIteration
        self._size += len(line)
        if self._size > LONGEST:
            raise csv.Error(f"a quotation mark is opened and not closed within {LONGEST:,} characters")
        self._held.append(line)
        return line

    def take(self) -> bytes:
        held = "".join(self._held).encode("utf-8", "surrogateescape")
        self._held, self._size = [], 0
        return held


def _values(value: Any) -> list[str]:
    return [str(v) for v in (value if isinstance(value, list) else [value]) if v is not None]


def _depth(value: Any, level: int = 0) -> int:
    if level > DEEPEST or not isinstance(value, (dict, list)):
        return level
    return max(
        (_depth(v, level + 1) for v in (value.values() if isinstance(value, dict) else value)), default=level
    )


def _texts(value: Any) -> Iterator[str]:
    """All keys and texts of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from value
        yield from _texts(list(value.values()))


def _broken_text(text: str, encoding: str) -> str:
    if "\0" in text:
        return "The text holds a NUL character."
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"The text is not valid {encoding} near {text[max(0, error.start - 20) : error.start]!r}."
    return ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
