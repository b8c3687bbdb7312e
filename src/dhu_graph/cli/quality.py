"""Commands on quality: the report of the current release, and the polite check of links."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from dhu_graph.cli.common import Format, Progress, engine, rows, say


class _ReportFirst(TyperGroup):
    """`dhu quality starter` is the report of a source; what is no command here is the name of one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["report", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(help="How good the records of each source are.", cls=_ReportFirst)

_SOURCE = typer.Argument(None, metavar="[SOURCE]", help="One source; all without it.")
_FORMAT = typer.Option(Format.table, "--format", "-f", help="How to print.")


@app.command("report")
def report(context: typer.Context, source: str = _SOURCE, format: Format = _FORMAT) -> None:
    """Show the quality report of the current release; without a source, one line each (as a table)."""
    from dhu_graph.quality import table, turtle

    with engine(context) as radar:
        figures = radar.quality(source)
        if format is Format.ttl:
            sys.stdout.write(turtle(figures, radar.ontology))
        elif format is Format.table and source is None:
            rows(table.summary(figures), table.SUMMARY, format)
        else:
            columns = (
                table.COLUMNS
                if format is Format.table
                else ("source", "dimension", "metric", *table.COLUMNS[1:])
            )
            rows(table.rows(figures, radar.ontology), columns, format)


@app.command("links")
def links(
    context: typer.Context,
    source: str = _SOURCE,
    limit: int = typer.Option(
        200, "--limit", "-n", min=1, help="How many pages at most, the longest unseen first."
    ),
    format: Format = _FORMAT,
) -> None:
    """Check whether the pages that sources give are still there: slowly, one request a second to a host."""
    progress = Progress()
    with engine(context) as radar:
        seen = list(radar.check_links(source, limit, progress))
    progress.end()
    told = [link for link in seen if link.state != "ok"]
    found = [
        {"state": k.state, "status": k.status, "url": k.url, "note": k.note, "checked": k.checked}
        for k in told
    ]
    rows(sorted(found, key=lambda row: (str(row["state"]), str(row["url"]))), _SEEN, format)
    broken = sum(link.state == "broken" for link in seen)
    doubtful = sum(link.state == "doubtful" for link in seen)
    say(
        f"{len(seen)} pages checked: {sum(link.state == 'ok' for link in seen)} fine, {broken} broken, {doubtful} "
        f"doubtful (to be checked again another day), {len(told) - broken - doubtful} that say nothing."
    )
    if broken:
        raise typer.Exit(1)


_SEEN = ("state", "status", "url", "note", "checked")


def add_to(parent: typer.Typer) -> None:
    """Adds these commands under `quality`."""
    parent.add_typer(app, name="quality")
