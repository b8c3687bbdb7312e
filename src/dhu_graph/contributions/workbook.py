"""A stranger's workbook, read in a process of its own: one that eats memory or time takes only that process with it.

The reader keeps a place for every cell up to the furthest one, so a workbook of 7 KB with a cell in its last corner asks for
half a terabyte and ends the process that opened it. Here that is a child with limits set by itself.
`python -m dhu_graph.contributions.workbook FILE NAME ROWS` writes JSON lines: the sheet, then its rows.
"""

import json
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dhu_graph.errors import BadInput

_MEMORY, _SECONDS, _ANSWER = 1_500_000_000, 30, 64_000_000
_UNPACKED, _MEMBERS = 80_000_000, 500
_BOMB = "That is no workbook that a person filled in."


def opened(path: Path, name: str, most_rows: int) -> list[dict[str, Any]]:
    """The sheet that holds the machine keys (`title`, `header`), then up to `most_rows` + 1 rows. Raises BadInput."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise BadInput(
            f"{name} is not a workbook that can be read: {error}.", "Save it again as .xlsx."
        ) from None
    if len(members) > _MEMBERS or sum(member.file_size for member in members) > _UNPACKED:
        raise BadInput(f"{name} unpacks to more than {_UNPACKED:,} bytes or {_MEMBERS} parts.", _BOMB)
    command = [sys.executable, "-m", "dhu_graph.contributions.workbook", str(path), name, str(most_rows)]
    with tempfile.TemporaryFile() as answer:
        try:
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                timeout=2 * _SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            ended = -1
        answer.seek(0)
        found = [json.loads(line) for line in answer] if ended == 0 else []
    if not found:
        told = f"{name} cannot be read: it asks for more memory or time than a filled-in template needs."
        raise BadInput(told, _BOMB)
    if reason := found[0].get("refused"):
        raise BadInput(reason, found[0]["hint"])
    return found


def main(path: str, name: str, most_rows: int) -> None:
    """Reads within limits and writes what was found."""
    for what, limit in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, _ANSWER),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    try:
        for number, each in enumerate(_read(Path(path), name)):
            print(json.dumps(each), flush=True)
            if number > most_rows:
                return
    except BadInput as error:
        print(json.dumps({"refused": error.detail, "hint": error.hint}))


def _read(path: Path, name: str) -> Iterator[dict[str, Any]]:
    import python_calamine

    from dhu_graph.sources import File, Input, Unreadable, records

    hint = "Fill in a template: `dhu contribute --template practices.xlsx`, or /api/contributions/template."
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        for title in book.sheet_names:
            header = [str(cell).strip() for cell in next(iter(book.get_sheet_by_name(title).iter_rows()), [])]
            if {"title", "description"} <= set(header):
                break
        else:
            raise BadInput(
                f"{name} has no sheet with the machine keys of the template in its first row.", hint
            )
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError, ValueError) as error:
        raise BadInput(f"{name} is not a workbook that can be read: {error}.", hint) from None
    yield {"title": title, "header": header}
    item = Input.model_validate({"file": name, "format": "xlsx", "id": "@file", "records": title})
    for entry in records(File(item, name, path)):
        if isinstance(entry, Unreadable):
            yield {"where": entry.where, "reason": entry.reason}
        else:
            yield {"where": entry.where, "cells": dict(entry.fields)}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
