"""CSV."""

import csv as csv_module
import io
from collections.abc import Iterator

from dhu_graph.model import Record
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import (
    FILE_NAME,
    LONGEST,
    Unreadable,
    broken_text,
    header_problem,
    identifier,
    misread,
)


def csv(file: File) -> Iterator[Record | Unreadable]:
    """One record a row; the first row names the columns."""
    item = file.input
    with file.path.open(encoding=item.encoding, errors="surrogateescape", newline="") as stream:
        lines = _Counted(stream)
        reader = csv_module.reader(lines, delimiter=item.delimiter, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
        except (csv_module.Error, UnicodeError) as error:
            header = []
            yield Unreadable(f"{file.name}, line 1", b"", f"The header cannot be read: {error}.")
        if words := header_problem(header):
            yield Unreadable(f"{file.name}, line 1", lines.take(), words)
            return
        missing = [
            name
            for name in dict.fromkeys([item.id, *item.scope, *item.skip, *item.split])
            if name not in header and name != FILE_NAME
        ]
        if header and missing:
            odd = any("\udc80" <= c <= "\udcff" for c in "".join(header))
            yield Unreadable(
                f"{file.name}, line 1",
                lines.take(),
                f"There is no column {', '.join(map(repr, missing))}; the columns are {_few(header)}."
                + (f' The text is not {item.encoding}: try encoding = "latin-1" or "cp1252".' if odd else ""),
            )
            return
        lines.take()
        while header:
            where = f"{file.name}, line {lines.number + 1}"
            try:
                row = next(reader, None)
            except csv_module.Error as error:
                yield Unreadable(where, lines.take(), f"The row cannot be read as CSV: {error}.")
                continue
            except UnicodeError as error:
                yield Unreadable(
                    where, lines.take(), f"From here on the text is not {item.encoding}: {error}."
                )
                return
            native = lines.take()
            if row is None:
                return
            if not any(cell.strip() for cell in row):
                continue
            text = "".join(row)
            problem = broken_text(text, item.encoding) or (
                ""
                if text.isascii()
                else misread(text.encode(item.encoding, "surrogateescape"), item.encoding)
            )
            if problem:
                yield Unreadable(where, native, problem)
            elif len(row) != len(header):
                yield Unreadable(where, native, f"The row has {len(row)} cells, the header {len(header)}.")
            else:
                fields = {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
                yield Record(identifier(item, fields, file.name), where, native, fields)


def _few(names: list[str]) -> str:
    """The first names, as they may be printed."""
    shown = ", ".join(name[:60].encode("utf-8", "backslashreplace").decode() for name in names[:20])
    return f"{shown} … ({len(names):,} in all)" if len(names) > 20 else shown


class _Counted:
    """Lines of a text stream, keeping those taken since the last record, so that its native bytes can be shown."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._held: list[str] = []
        self._size = 0
        self.number = 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST:
            while line and not line.endswith(("\n", "\r")):
                line = self._stream.readline(LONGEST)
            raise csv_module.Error(f"the line is longer than {LONGEST:,} characters")
        self._size += len(line)
        if self._size > LONGEST:
            raise csv_module.Error(f"a quotation mark is opened and not closed within {LONGEST:,} characters")
        self._held.append(line)
        return line

    def take(self) -> bytes:
        held = "".join(self._held).encode("utf-8", "surrogateescape")
        self._held, self._size = [], 0
        return held
