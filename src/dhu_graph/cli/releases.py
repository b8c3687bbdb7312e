"""Commands on releases: list, verify, diff, rollback, prune."""

import typer

from dhu_graph.cli.common import FORMAT, Format, engine, rows, say

app = typer.Typer(help="List, verify, compare, roll back and prune releases.", no_args_is_help=True)


@app.command("list")
def list_(context: typer.Context, format: Format = FORMAT) -> None:
    """List all releases."""
    with engine(context) as radar:
        current = radar.shelf.current()
        found = [
            {
                "release": release.number,
                "current": "yes" if release.number == current else "",
                "created": release.manifest["created"],
                "quads": release.manifest["quads"],
                "documents": release.manifest["index"]["documents"],
                "sources": sorted(release.manifest["sources"]),
                "model": (release.manifest["index"].get("model") or {}).get("name", "words only"),
            }
            for release in map(radar.shelf.get, radar.shelf.numbers())
        ]
    rows(found, ("release", "current", "created", "quads", "documents", "sources", "model"), format)


@app.command()
def verify(
    context: typer.Context, number: int = typer.Argument(None, help="By default the current one.")
) -> None:
    """Check every file of a release against its checksum."""
    with engine(context) as radar:
        release = radar.shelf.get(number)
        release.verify()
    say(f"Release {release.number} is whole: {len(release.manifest['files'])} files.")


@app.command()
def diff(
    context: typer.Context,
    old: int = typer.Argument(help="The earlier release."),
    new: int = typer.Argument(None, help="The later one; by default the current one."),
) -> None:
    """Print what two releases differ in: lines of N-Quads behind - and +."""
    with engine(context) as radar:
        added = removed = 0
        for sign, line in radar.shelf.diff(old, radar.shelf.get(new).number):
            added, removed = added + (sign == "+"), removed + (sign == "-")
            print(sign, line)
    say(f"{added:,} added, {removed:,} removed.")


@app.command()
def rollback(
    context: typer.Context, number: int = typer.Argument(None, help="By default the one before.")
) -> None:
    """Serve an earlier release again."""
    with engine(context) as radar:
        say(f"Release {radar.shelf.rollback(number)} is served now.")


@app.command()
def prune(
    context: typer.Context, keep: int = typer.Option(None, "--keep", min=1, help="How many to keep.")
) -> None:
    """Delete old releases; the current one always stays."""
    with engine(context) as radar:
        gone = radar.shelf.prune(keep or radar.settings.keep_releases)
    say(f"Deleted: {', '.join(map(str, gone)) or 'none'}.")


def add_to(parent: typer.Typer) -> None:
    """Adds these commands as `dhu releases`."""
    parent.add_typer(app, name="releases")
