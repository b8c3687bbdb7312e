"""JSON: lines, whole files, lists within larger files, and JSON-stat cubes."""

import itertools
import json as json_module
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from dhu_graph.model import Record
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import (
    DEEPEST,
    LONGEST,
    Unreadable,
    broken_text,
    depth,
    identifier,
    misread,
    texts,
    whole,
)

LARGEST_CUBE = 50_000_000
"""Largest JSON-stat file in bytes: a cube must be in memory to be read."""
MOST_OPEN = 10_000
"""Most brackets open at once on the way to a member of a larger file."""
_BLOCK = 1 << 16
_MARK = re.compile(rb'["{}\[\],:]')
_QUOTE = re.compile(rb'["\\]')


def jsonl(file: File) -> Iterator[Record | Unreadable]:
    """One JSON object a line."""
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
            if native.strip():
                yield _object(file, "The line", where, native)


def json(file: File) -> Iterator[Record | Unreadable]:
    """One object a file; or, where `records` names a path, each member of the list or object that stands there.

    `records = "entry"` reads the list under the key `entry`, `"data.items"` goes deeper, `"."` means that the file
    itself is the list. A file of any size is cut into its members in little memory.
    """
    if not file.input.records:
        with file.path.open("rb") as stream:
            content = stream.read(LONGEST + 1)
        if len(content) > LONGEST:
            yield Unreadable(
                file.name, b"", f"The file is longer than {LONGEST:,} bytes, which no record is."
            )
        else:
            yield _object(file, "The file", file.name, content)
        return
    path = [] if file.input.records == "." else file.input.records.split(".")
    count = 0
    with file.path.open("rb") as stream:
        try:
            for count, (key, native) in enumerate(_members(stream, path), 1):
                where = f"{file.name}, {file.input.records} {key}" if key else f"{file.name}, item {count}"
                if native is None:
                    yield Unreadable(where, b"", f"The item is longer than {LONGEST:,} bytes.")
                else:
                    yield _object(file, "The item", where, native)
        except ValueError as error:
            yield Unreadable(f"{file.name}, after item {count}", b"", f"The file is not whole: {error}.")
            return
    if not count:
        yield Unreadable(
            file.name, b"", f"There is no list or object under {file.input.records!r}, or it is empty."
        )


def _object(file: File, what: str, where: str, native: bytes) -> Record | Unreadable:
    """The record that these bytes of JSON are; `what` is how messages call them."""
    item = file.input
    try:
        fields = json_module.loads(
            native.decode(item.encoding), parse_constant=_no_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        return Unreadable(where, native, f"{what} is not valid JSON: {error}.")
    # Counting brackets costs little, and only a text with many of them can nest deeply.
    suspect = native.count(b"{") + native.count(b"[") > DEEPEST
    if not isinstance(fields, dict) or (suspect and depth(fields) > DEEPEST):
        return Unreadable(where, native, f"{what} is not one JSON object of at most {DEEPEST} levels.")
    # Only an escape can bring in a NUL or half a character: the bytes themselves were valid.
    problem = broken_text("".join(texts(fields)), item.encoding) if b"\\u" in native else ""
    problem = problem or misread(native, item.encoding)
    if problem:
        return Unreadable(where, native, problem)
    return Record(identifier(item, fields, file.name), where, native, fields)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} stands twice in one object, and one of the two would be lost")
    return found


class _Bytes:
    """A stream of bytes, block by block, from which pieces are cut; forgets what is behind `kept`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._held = b""
        self._start = 0  # of `_held` in the stream
        self.kept: int | None = None

    def find(self, pattern: re.Pattern[bytes], at: int) -> int | None:
        """Where the pattern (one byte) is found next, or None at the end."""
        while True:
            found = pattern.search(self._held, max(0, at - self._start))
            if found:
                return self._start + found.start()
            at = self._start + len(self._held)
            if not self._more():
                return None

    def byte(self, at: int) -> bytes:
        """The byte at a place; nothing at the end."""
        while at >= self._start + len(self._held):
            if not self._more():
                return b""
        return self._held[at - self._start : at - self._start + 1]

    def cut(self, start: int, stop: int) -> bytes:
        """The bytes of a stretch, which must lie behind `kept`."""
        return self._held[start - self._start : stop - self._start]

    def _more(self) -> bool:
        block = self._stream.read(_BLOCK)
        end = self._start + len(self._held)
        if self.kept is not None and end - self.kept > LONGEST:
            self.kept = None  # what is kept goes on beyond the end, and is too long already
        keep = end if self.kept is None else self.kept
        self._held = self._held[keep - self._start :] + block
        self._start = keep
        return bool(block)


def _members(stream: IO[bytes], path: list[str]) -> Iterator[tuple[str, bytes | None]]:
    """(key, bytes) of each member of the list or object at a path; the key is empty in a list, the bytes None if too long.

    Only brackets, commas and quotation marks are looked at; whether a member is valid JSON is for its reader to say.
    Raises ValueError where the file ends before it is closed.
    """
    text = _Bytes(stream)
    stack: list[bytes] = []  # of open brackets
    keys: list[str] = []  # the key under which each stands
    key, at = "", 0
    start: int | None = None  # of the member that is being read

    def inside() -> bool:
        return len(stack) == len(path) + 1 and keys[1:] == path

    def member(stop: int) -> tuple[str, bytes | None] | None:
        nonlocal start
        begun, start, text.kept = start, None, None
        if begun is None:
            return None
        native = text.cut(begun, stop) if stop - begun <= LONGEST else None
        return None if native is not None and not native.strip() else (key, native)

    while (place := text.find(_MARK, at)) is not None:
        mark, at = text.byte(place), place + 1
        if start is not None and text.kept is not None and place - start > LONGEST:
            text.kept = None  # too long to be kept; only its end is looked for
        if mark == b'"':
            begun = place + 1
            if text.kept is None and stack and stack[-1] == b"{":
                text.kept = begun
            while (place := text.find(_QUOTE, at)) is not None and text.byte(place) == b"\\":
                at = place + 2
                if text.kept is not None and at - text.kept > LONGEST:
                    text.kept = None
            if place is None:
                raise ValueError("it ends within a text")
            at = place + 1
            if stack and stack[-1] == b"{" and (start is None):
                key = text.cut(begun, place).decode("utf-8", "replace") if text.kept == begun else ""
            if text.kept == begun:
                text.kept = None
        elif mark in b"{[":
            if len(stack) == MOST_OPEN:
                raise ValueError(f"it nests deeper than {MOST_OPEN:,} levels")
            stack.append(mark)
            keys.append(key if len(key) < _BLOCK else "")
            if inside():
                key = ""
                if mark == b"[":
                    start = text.kept = at
        elif mark == b":" and inside() and start is None:
            start = text.kept = at
        elif mark in b"},]" and inside():
            found = member(place)
            if found:
                yield found
            if mark == b",":
                if stack[-1] == b"[":
                    start = text.kept = at
            else:
                return
        elif mark in b"}]":
            if not stack:
                raise ValueError("a bracket is closed that was not opened")
            stack.pop()
            key = keys.pop()
    if stack:
        raise ValueError("it ends before the last bracket is closed")


def jsonstat(file: File) -> Iterator[Record | Unreadable]:
    """One record per cell of a JSON-stat cube (https://json-stat.org/full/), or of Eurostat's reduced form with `dims`.

    The id joins the codes of the dimensions that have more than one category: `GR-2024`.
    """
    native = whole(file.path, LARGEST_CUBE)
    if native is None:
        yield Unreadable(file.name, b"", f"The file is longer than {LARGEST_CUBE:,} bytes of JSON-stat.")
        return
    try:
        cube = json_module.loads(native.decode(file.input.encoding), parse_constant=_no_constant)
        ids: list[str] = cube["id"]
        size: list[int] = cube["size"]
        axes = [_categories(cube, name) for name in ids]
        values = cube["value"]
        if not isinstance(values, (dict, list)):
            raise ValueError("`value` is neither a list nor an object")
        cells = values.items() if isinstance(values, dict) else enumerate(values)
        if [len(axis) for axis in axes] != size or not all(size):
            raise ValueError("`size` does not fit the categories")
        names = "".join(code for axis in [ids, *axes] for code in axis)
        if problem := broken_text(names, file.input.encoding):
            raise ValueError(problem)
        status = cube.get("status") if isinstance(cube.get("status"), dict) else {}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        yield Unreadable(file.name, native[:LONGEST], f"The file is not a JSON-stat cube: {error!r}.")
        return
    for raw, value in cells:
        where = f"{file.name}, cell {raw}"
        cell = json_module.dumps({str(raw): value}).encode()
        try:
            rest, codes = int(raw), []
            for axis in reversed(axes):
                rest, position = divmod(rest, len(axis))
                codes.append(axis[position])
            if rest:
                raise ValueError("the number lies outside the cube")
            if isinstance(value, (dict, list)) or (isinstance(value, str) and broken_text(value, "utf-8")):
                raise ValueError("its value is neither a number nor a text")
        except (ValueError, TypeError) as error:
            yield Unreadable(where, cell, f"The cell cannot be placed: {error}.")
            continue
        fields: dict[str, Any] = dict(zip(ids, reversed(codes), strict=True))
        identifier = "-".join(fields[name] for name, axis in zip(ids, axes, strict=True) if len(axis) > 1)
        if value is not None:
            flag = {"status": str(status[str(raw)])[:100]} if str(raw) in status else {}
            yield Record(identifier, where, cell, {**fields, "value": value, **flag})


def _categories(cube: Mapping[str, Any], name: str) -> list[str]:
    index = cube["dims"][name] if "dims" in cube else cube["dimension"][name]["category"]["index"]
    return sorted(index, key=index.__getitem__) if isinstance(index, dict) else list(index)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
