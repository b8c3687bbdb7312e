"""The program of the process that opens a workbook: `python workbook.py PATH SHEET` prints its rows as lines of JSON.

The library holds a sheet as one dense block, so two cells in far corners of it ask for hundreds of gigabytes. Here that
ends a process of a few lines, and nothing else.
"""

import contextlib
import json
import sys
from typing import Any

LARGEST_BOOK = 1_500_000_000
"""Bytes of memory that reading a workbook may take."""
WIDEST_ROW = 5_000_000
"""Most characters of a row; a longer one is printed as null."""


def main(path: str, sheet: str) -> None:
    """Prints `{"names": […]}` and then a list a row, a number for so many empty ones, or `{"problem": …}`."""
    import python_calamine

    with contextlib.suppress(ImportError, ValueError, OSError):  # there is no such limit on this system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (LARGEST_BOOK, LARGEST_BOOK))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        names = book.sheet_names
        print(json.dumps({"names": names}))
        name = sheet or (names[0] if names else "")
        if name not in names:
            return
        empty = 0
        for row in book.get_sheet_by_name(name).iter_rows():
            if row.count("") == len(row):
                empty += 1
                continue
            if empty:
                print(empty)
                empty = 0
            cells = [_text(cell) for cell in row]
            print(json.dumps(cells if sum(map(len, cells)) <= WIDEST_ROW else None))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        print(json.dumps({"problem": str(error)[:500]}))


def _text(cell: Any) -> str:
    """A cell as people see it: `2021` for the number 2021.0, an ISO date for a date."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell.isoformat() if hasattr(cell, "isoformat") else cell).strip()


if __name__ == "__main__":
    main(*sys.argv[1:])
