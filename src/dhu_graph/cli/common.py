"""What all commands share: the engine, progress on stderr, tables and the other formats on stdout."""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from dhu_graph.engine import Engine


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    tsv = "tsv"
    ttl = "ttl"


FORMAT = typer.Option(Format.table, "--format", "-f", help="How to print.")


def engine(context: typer.Context, **settings: Any) -> "Engine":
    """The engine that the options of the command line ask for."""
    from dhu_graph.engine import Engine

    return Engine.open(**{**(context.obj or {}), **settings})


def say(message: str) -> None:
    """A message for the person at the terminal."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """Progress on stderr with rates: a live line in a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._step, self._begun, self._told = "", 0.0, 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self.end()
            self._step, self._begun, self._told = step, now, now if self._live else now - 5
        if now - self._told < (0.1 if self._live else 10) and not (total and done >= total):
            return
        self._told = now
        rate = done / (now - self._begun) if now > self._begun else 0.0
        of = f" of {total:,} ({done / total:.0%})" if total else ""
        left = f", {(total - done) / rate:,.0f} s left" if total > done and rate else ""
        line = f"  {step}: {done:,}{of}" + (f", {rate:,.0f}/s{left}" if rate else "")
        print(
            f"\r\x1b[K{line}" if self._live else line,
            end="" if self._live else "\n",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leaves the live line."""
        if self._live and self._step:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def rows(found: Iterable[dict[str, Any]], columns: Sequence[str], format: Format) -> None:
    """Prints rows; `ttl` is for graphs and is refused here."""
    from dhu_graph.errors import UsageError

    if format is Format.ttl:
        raise UsageError("Rows cannot be written as Turtle.", "Use table, json, jsonl, csv or tsv.")
    if format is Format.json:
        print(json.dumps(list(found), ensure_ascii=False, indent=1, default=str))
    elif format is Format.jsonl:
        for row in found:
            print(json.dumps(row, ensure_ascii=False, default=str))
    elif format in (Format.csv, Format.tsv):
        writer = csv.writer(
            sys.stdout, dialect="excel-tab" if format is Format.tsv else "excel", lineterminator="\n"
        )
        writer.writerow(columns)
        writer.writerows([_cell(row.get(column)) for column in columns] for row in found)
    else:
        table(found, columns)


def table(found: Iterable[dict[str, Any]], columns: Sequence[str]) -> None:
    """Prints rows as a table as wide as the terminal; in a pipe nothing is cut."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in found:
        drawn.add_row(*(_cell(row.get(column)) for column in columns))
    wide = {} if sys.stdout.isatty() else {"width": 200}
    Console(markup=False, highlight=False, emoji=False, **wide).print(drawn)  # type: ignore[arg-type]


def add(app: typer.Typer, *commands: Callable[..., Any]) -> None:
    """Adds functions as commands under their own names."""
    for command in commands:
        app.command(command.__name__.rstrip("_"))(command)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    # What a terminal would obey is not printed as it is.
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in str(value))
