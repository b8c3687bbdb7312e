"""Workbooks in XLSX."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dhu_graph.errors import BadInput
from dhu_graph.model import Record
from dhu_graph.sources import archive
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import LONGEST, Unreadable, broken_text, header_problem, identifier

LARGEST_PARTS = 300_000_000
"""Most bytes that the parts of a workbook may have together when unpacked."""
LONGEST_READING = 300.0
"""Seconds that reading a workbook may take."""


def xlsx(file: File) -> Iterator[Record | Unreadable]:
    """One record a row of the sheet that `records` names, else of the first; its first row names the columns.

    Formulas count as the values they last had; links to other workbooks are not followed.
    """
    try:
        archive.inspected(file.path, file.name, LARGEST_PARTS)
    except BadInput as error:
        yield Unreadable(file.name, b"", f"The file is not a workbook that can be read: {error}")
        return
    lines = _lines(file)
    head: Any = next(lines, {})
    names = head.get("names") if isinstance(head, dict) else None
    if names is None:
        yield _failed(file, head)
        return
    name = file.input.records or (names[0] if names else "")
    if name not in names:
        yield Unreadable(file.name, b"", f"There is no sheet {name!r}; the sheets are {', '.join(names)}.")
        return
    header: list[str] = []
    number = 0
    for row in lines:
        number += row if isinstance(row, int) else 1
        where = f"{file.name}, sheet {name}, row {number}"
        if isinstance(row, int):
            continue
        if isinstance(row, dict):
            yield _failed(file, row)
        elif row is None:
            yield Unreadable(where, b"", f"The row is longer than {LONGEST:,} characters.")
        elif not header:
            header = row
            if problem := header_problem(header):
                yield Unreadable(where, b"", problem)
                return
        else:
            cells = {column: text for column, text in zip(header, row, strict=False) if column and text}
            if cells:
                yield _row(file, where, cells)


def _row(file: File, where: str, cells: dict[str, str]) -> Record | Unreadable:
    native = "\t".join(cells.values()).encode("utf-8", "surrogateescape")
    if problem := broken_text("".join(cells.values()), "utf-8"):
        return Unreadable(where, native, problem)
    return Record(identifier(file.input, cells, file.name), where, native, cells)


def _lines(file: File) -> Iterator[Any]:
    """What the process that opens the workbook says, line by line; a `problem` where it did not end well."""
    # By its path and alone: it needs none of the rest of this package, and so begins at once.
    program = str(Path(__file__).with_name("workbook.py"))
    command = [sys.executable, "-I", program, str(file.path), file.input.records]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        clock = threading.Timer(LONGEST_READING, process.kill)
        clock.start()
        try:
            for line in process.stdout:
                yield json.loads(line)
            if process.wait():
                yield {"problem": "it is broken, or takes more memory or time than a workbook may"}
        finally:
            clock.cancel()
            process.kill()


def _failed(file: File, said: Any) -> Unreadable:
    words = said.get("problem", "it is empty") if isinstance(said, dict) else "it is empty"
    return Unreadable(file.name, b"", f"The file is not a workbook that can be read: {words}.")
