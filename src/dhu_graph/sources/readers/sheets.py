"""Workbooks in XLSX."""

import zipfile
from collections.abc import Iterator
from typing import Any

from dhu_graph.errors import BadInput
from dhu_graph.model import Record
from dhu_graph.sources.archive import checked
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import LONGEST, Unreadable, broken_text, identifier


def xlsx(file: File) -> Iterator[Record | Unreadable]:
    """One record a row of the sheet that `records` names, else of the first; its first row names the columns.

    Formulas count as the values they last had; links to other workbooks are not followed.
    """
    import python_calamine

    try:
        # The parts of a workbook are read whole, so a bomb must be told from its table of contents.
        with zipfile.ZipFile(file.path) as archive:
            checked(archive, file.name)
        book = python_calamine.CalamineWorkbook.from_path(str(file.path))
        names = book.sheet_names
        name = file.input.records or (names[0] if names else "")
        if name not in names:
            yield Unreadable(
                file.name, b"", f"There is no sheet {name!r}; the sheets are {', '.join(names)}."
            )
            return
        rows = book.get_sheet_by_name(name).iter_rows()
        header = [str(cell).strip() for cell in next(iter(rows), [])]
    except (zipfile.BadZipFile, python_calamine.CalamineError, BadInput, OSError, ValueError) as error:
        yield Unreadable(file.name, b"", f"The file is not a workbook that can be read: {error}")
        return
    named = [column for column in header if column]
    if twice := sorted({column for column in named if named.count(column) > 1}):
        words = f"The columns {', '.join(map(repr, twice))} stand there twice; one of each would be lost."
        yield Unreadable(f"{file.name}, row 1", b"", words)
        return
    for number, row in enumerate(rows, 2):
        where = f"{file.name}, sheet {name}, row {number}"
        cells = {
            column: text
            for column, cell in zip(header, row, strict=False)
            if column and (text := _text(cell))
        }
        if not cells:
            continue
        native = "\t".join(cells.values()).encode("utf-8", "surrogateescape")
        if len(native) > LONGEST:
            yield Unreadable(where, b"", f"The row is longer than {LONGEST:,} bytes.")
        elif problem := broken_text("".join(cells.values()), "utf-8"):
            yield Unreadable(where, native, problem)
        else:
            yield Record(identifier(file.input, cells, file.name), where, native, cells)


def _text(cell: Any) -> str:
    """A cell as people see it: `2021` for the number 2021.0, an ISO date for a date."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return (cell.isoformat() if hasattr(cell, "isoformat") else str(cell)).strip()
