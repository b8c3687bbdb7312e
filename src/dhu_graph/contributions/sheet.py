"""A filled-in template read back: its rows by machine key, and in which cell each value stands."""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dhu_graph.contributions import workbook
from dhu_graph.contributions.template import MARK, is_example
from dhu_graph.contributions.values import plain
from dhu_graph.errors import BadInput
from dhu_graph.ontology import EU_LANGUAGES
from dhu_graph.sources import File, Input, Unreadable, records

MOST_COLUMNS = 150
_NEEDED = ("kind", "language", "title", "description")
_HINT = "Fill in a template: `dhu contribute --template practices.xlsx`, or /api/contributions/template."


@dataclass(slots=True)
class Line:
    """One row that holds a contribution, or could not be read: `reason` says why."""

    number: int
    cells: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(slots=True)
class Sheet:
    """The sheet of contributions of a file; `title` is empty for CSV, `language` that of the template."""

    name: str
    title: str
    header: list[str]
    language: str = "en"
    lines: list[Line] = field(default_factory=list)

    def cell(self, key: str, row: int) -> str:
        """Where a value stands: `cell F7`, in CSV `line 7, column F`; only the row where there is no such column."""
        if key not in self.header:
            return f"row {row}" if self.title else f"line {row}"
        letter = letters(self.header.index(key))
        return f"cell {letter}{row}" if self.title else f"line {row}, column {letter}"

    @property
    def where(self) -> str:
        """The file, and the sheet in it."""
        return f"{self.name}, sheet {self.title}" if self.title else self.name


def read(path: Path, name: str, *, largest: int, most_rows: int) -> Sheet:
    """The sheet in a file of at most `largest` bytes. Raises BadInput where it is no filled-in template, or too large."""
    if not path.is_file():
        raise BadInput(f"There is no file {name}.", "Check the path.")
    if (size := path.stat().st_size) > largest:
        raise BadInput(f"{name} has {size:,} bytes; at most {largest:,} are taken.", "Send it in parts.")
    with path.open("rb") as stream:
        packed = stream.read(4) == b"PK\x03\x04"
    # The rows at the head of the template are none of the contributor's.
    most_lines = most_rows + 4
    if packed:
        head, *found = workbook.opened(path, name, most_lines)
        sheet = Sheet(name, head["title"], head["header"])
        entries: Iterator[dict[str, Any]] = iter(found)
    else:
        sheet, entries = _table(path, name)
    if len(sheet.header) > MOST_COLUMNS:
        told = f"{sheet.where} has {len(sheet.header)} columns; at most {MOST_COLUMNS} are taken."
        raise BadInput(told, "Take out the columns that are not those of the template.")
    if missing := [key for key in _NEEDED if key not in sheet.header]:
        told = f"{sheet.where} has no column {', '.join(missing)} in its first row, which holds the machine keys."
        raise BadInput(told, _HINT)
    sheet.lines = list(_lines(itertools.islice(entries, most_lines + 1), sheet))
    if len(sheet.lines) > most_rows:
        raise BadInput(f"{sheet.where} has more than {most_rows:,} rows.", "Send it in parts.")
    return sheet


def letters(place: int) -> str:
    """The letters of a column: 0 is A, 26 is AA."""
    found = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        found = chr(65 + rest) + found
    return found


def _lines(entries: Iterator[dict[str, Any]], sheet: Sheet) -> Iterator[Line]:
    """The rows of contributions, without those of the template itself."""
    for entry in entries:
        last = entry["where"].rsplit(" ", 1)[-1]
        number = int(last) if last.isdigit() else 1
        if reason := entry.get("reason", ""):
            if number == 1:
                raise BadInput(f"{entry['where']}: {reason}", _HINT)
            if "not valid utf-8" in reason:
                reason += " Save it as “CSV UTF-8”, or send the workbook."
            yield Line(number, reason=reason)
            continue
        cells = {key: text for key, value in entry["cells"].items() if (text := plain(str(value)))}
        mark = cells.pop(MARK, "").split(" ")
        if mark[0] == "label":
            sheet.language = mark[-1] if mark[-1] in EU_LANGUAGES else "en"
        elif cells and mark[0] != "help" and not is_example(cells.get("title", "")):
            # An example row that was written over is a contribution.
            yield Line(number, cells)


def _table(path: Path, name: str) -> tuple[Sheet, Iterator[dict[str, Any]]]:
    """A CSV with its header; what parts its cells is told from the header, since spreadsheets use the sign of their country."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        head = stream.readline(100_000)
    delimiter = max(",;\t", key=head.count)
    try:
        header = [key.strip() for key in next(csv.reader([head.strip("\r\n")], delimiter=delimiter), [])]
    except csv.Error as error:
        raise BadInput(f"{name}, line 1: the header cannot be read: {error}.", _HINT) from None
    item = Input.model_validate({"file": name, "format": "csv", "id": "@file", "delimiter": delimiter})
    return Sheet(name, "", header), _entries(File(item, name, path))


def _entries(file: File) -> Iterator[dict[str, Any]]:
    for entry in records(file):
        if isinstance(entry, Unreadable):
            yield {"where": entry.where, "reason": entry.reason}
        else:
            yield {"where": entry.where, "cells": dict(entry.fields)}
