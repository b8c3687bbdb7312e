"""Commands on contributions: a template to fill in, a file to send, and what a moderator decides."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from dhu_graph.cli.common import FORMAT, Format, engine, rows, say

if TYPE_CHECKING:
    from dhu_graph.contributions import Checked, Entry
    from dhu_graph.engine import Built

_BY = typer.Option(
    "", "--by", metavar="ROLE", help="Who decides, as a role: `moderator`. Not a person's name."
)
_IDS = typer.Argument(metavar="ID...", help="Contributions, by their ids.")


class _OrFile(TyperGroup):
    """What is no command is a file to send: `dhu contribute practices.xlsx`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["send", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_OrFile,
    help="Send practices in by a filled-in template, and decide about what was sent: dhu contribute FILE --organisation NAME.",
    no_args_is_help=True,
)


@app.command("send")
def send(
    context: typer.Context,
    file: Path = typer.Argument(None, help="A filled-in template, .xlsx or .csv."),
    organisation: str = typer.Option("", "--organisation", "-o", metavar="NAME", help="Which body sends it."),
    template: Path = typer.Option(
        None,
        "--template",
        metavar="FILE",
        help="Write an empty template, .xlsx or .csv, in place of sending.",
    ),
    language: str = typer.Option("en", "--language", "-l", help="Language of the template: de, el, mt …"),
    check: bool = typer.Option(False, "--check", help="Only check; queue nothing."),
    format: Format = FORMAT,
) -> None:
    """Check a file and queue its good rows (`send` may be left out); or write a template to fill in."""
    from dhu_graph.errors import UsageError

    with engine(context) as radar:
        if template:
            kind = template.suffix.lower().removeprefix(".")
            if kind not in ("xlsx", "csv"):
                raise UsageError(
                    f"{template.name} ends neither in .xlsx nor in .csv.", "Choose one of the two."
                )
            _write(template, radar.contributions.template(language, kind))
            say(f"Written: {template} ({language})")
            return
        if file is None:
            raise UsageError(
                "No file was named.", "dhu contribute FILE --organisation NAME, or --template FILE."
            )
        if not organisation:
            raise UsageError("It was not said who sends this.", "Add --organisation NAME.")
        if format not in (Format.table, Format.json):
            raise UsageError("What was found is told as a table or as json.", "Use --format table or json.")
        if check:
            checked, placed = radar.contributions.check(file, organisation), []
        else:
            received = radar.contributions.receive(file, organisation)
            checked, placed = received.checked, received.placed
    new = [each for each in placed if not each.known]
    pairs = zip(checked.good, placed, strict=True) if placed else ()
    found = [{"row": row.number, "id": each.id, "state": each.known or "waiting"} for row, each in pairs]
    if format is Format.json:
        _as_json(checked, found)
    else:
        _told(checked)
        if found:
            rows(found, ("row", "id", "state"), format)
        known = len(placed) - len(new)
        say(
            f"{checked.name}: {len(checked.rows)} rows, {len(checked.good)} in order, "
            + ("nothing was queued (--check)." if check else f"{len(new)} queued, {known} known already.")
        )
    if checked.all_faults:
        raise typer.Exit(1)


@app.command("list")
def list_(
    context: typer.Context,
    state: str = typer.Option(
        "waiting", "--state", help="waiting, accepted, rejected, superseded, withdrawn or all."
    ),
    format: Format = FORMAT,
) -> None:
    """List contributions, those that wait for a decision if nothing else is asked for."""
    from dhu_graph.contributions.values import safe

    with engine(context) as radar:
        entries = radar.contributions.queue.entries(state)
    found = [_row(entry) for entry in entries]
    if format in (Format.csv, Format.tsv):
        # What a stranger wrote is not to be run by the spreadsheet that opens this.
        found = [{name: safe(str(value)) for name, value in row.items()} for row in found]
    rows(found, ("id", "state", "received", "organisation", "kind", "title"), format)


@app.command("show")
def show(
    context: typer.Context,
    id: str = typer.Argument(help="The id of a contribution."),
    format: Format = FORMAT,
) -> None:
    """Show one contribution with all its fields and what was decided about it."""
    with engine(context) as radar:
        entry, log = radar.contributions.queue.get(id), radar.contributions.queue.log(id)
    found: list[dict[str, Any]] = [{"field": name, "value": value} for name, value in _row(entry).items()]
    found += [{"field": name, "value": value} for name, value in sorted(entry.fields.items())]
    found += [
        {"field": "decision", "value": " ".join(v for k, v in each.items() if k != "id" and v)}
        for each in log
    ]
    rows(found, ("field", "value"), format)


@app.command("accept")
def accept(context: typer.Context, ids: list[str] = _IDS, by: str = _BY) -> None:
    """Let contributions into the graph; makes a release. A later version supersedes the one before it."""
    with engine(context) as radar:
        entries, built = radar.contributions.accept(ids, by)
        where = {entry.id: radar.contributions.address(entry) for entry in entries}
    _decided(entries, built, where)


@app.command("withdraw")
def withdraw(
    context: typer.Context,
    ids: list[str] = _IDS,
    by: str = _BY,
    reason: str = typer.Option("", "--reason", metavar="TEXT", help="Why."),
) -> None:
    """Take accepted contributions out of the graph again; makes a release."""
    with engine(context) as radar:
        entries, built = radar.contributions.withdraw(ids, by, reason)
    _decided(entries, built)


@app.command("reject")
def reject(
    context: typer.Context,
    ids: list[str] = _IDS,
    reason: str = typer.Option("", "--reason", metavar="TEXT", help="Why; the contributor is told."),
    by: str = _BY,
) -> None:
    """Turn contributions away, with the reason."""
    with engine(context) as radar:
        for entry in radar.contributions.reject(ids, reason, by):
            say(f"{entry.id}: {entry.state}.")


def _row(entry: "Entry") -> dict[str, Any]:
    return {
        "id": entry.id,
        "state": entry.state,
        "received": entry.received,
        "organisation": entry.organisation,
        "kind": entry.fields.get("kind", ""),
        "title": entry.fields.get("title", ""),
    }


def _told(checked: "Checked") -> None:
    for fault in checked.all_faults:
        print(fault)
    for note in [note for row in checked.good for note in row.notes][:20]:
        say(f"note: {note}")


def _decided(entries: "list[Entry]", built: "Built", where: dict[str, str] | None = None) -> None:
    for entry in entries:
        iri = (where or {}).get(entry.id)
        say(f"{entry.id}: {entry.state}{f', {iri}' if iri else ''}.")
    if built.release:
        say(f"Release {built.release.number}: {built.release.manifest['quads']:,} quads.")
    if built.findings:
        raise typer.Exit(1)


def _write(path: Path, content: bytes) -> None:
    from dhu_graph.errors import UsageError

    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from None


def _as_json(checked: "Checked", placed: list[dict[str, Any]]) -> None:
    import json
    from dataclasses import asdict

    told = {
        "file": checked.name,
        "rows": len(checked.rows),
        "good": len(checked.good),
        "placed": placed,
        "faults": [{**asdict(fault), "text": str(fault)} for fault in checked.all_faults],
        "notes": [str(note) for row in checked.good for note in row.notes],
    }
    print(json.dumps(told, ensure_ascii=False, indent=1))


def add_to(parent: typer.Typer) -> None:
    """Adds these commands under `contribute`."""
    parent.add_typer(app, name="contribute")
