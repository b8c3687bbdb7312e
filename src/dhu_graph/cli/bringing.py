"""Commands that bring records in: ingest, build, validate, sources."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dhu_graph.cli.common import FORMAT, Format, Progress, add, engine, rows, say

if TYPE_CHECKING:
    from dhu_graph.engine import Built
    from dhu_graph.ingest import Report

_FROM = typer.Option(
    None, "--from", metavar="PATH|URL", help="A file, a folder or an address in place of the source's own."
)
_FOLDER = typer.Option(
    None,
    "--folder",
    metavar="PATH",
    help="A folder with source.toml and map.rq that is not part of the project.",
)
_NO_EMBED = typer.Option(
    False, "--no-embed", help="Leave out the vector index; search is by words alone then."
)


def ingest(
    context: typer.Context,
    source: str = typer.Argument(help="The name of the source; see `dhu sources`."),
    location: str = _FROM,
    folder: Path = _FOLDER,
    no_embed: bool = _NO_EMBED,
) -> None:
    """Bring one source up to date; makes a release if its graph changed."""
    progress = Progress()
    with engine(context, embed=False if no_embed else None) as radar:
        built = radar.ingest(source, location, folder=folder, progress=progress)
    progress.end()
    _told(built)


def build(
    context: typer.Context,
    force: bool = typer.Option(False, "--force", help="Make a release even if nothing changed."),
    no_embed: bool = _NO_EMBED,
) -> None:
    """Bring all sources of the project up to date; makes a release if anything changed."""
    progress = Progress()
    with engine(context, embed=False if no_embed else None) as radar:
        built = radar.build(force=force, progress=progress)
    progress.end()
    _told(built)


def validate(
    context: typer.Context,
    source: str = typer.Argument(help="The name of the source."),
    location: str = _FROM,
    folder: Path = _FOLDER,
    format: Format = FORMAT,
) -> None:
    """Show what an ingest would do with a file, without keeping anything; `--format ttl` prints the triples."""
    from dhu_graph.errors import UsageError

    if format not in (Format.table, Format.ttl):
        raise UsageError("validate prints a report, or with --format ttl the triples.", "Use table or ttl.")
    with engine(context) as radar:
        report, lines = radar.validate(source, location, folder=folder)
        if format is Format.ttl:
            import rdflib

            graph = rdflib.Graph().parse(data="\n".join(lines), format="nt")
            for prefix, iri in radar.ontology.prefixes.items():
                graph.bind(prefix, iri, replace=True)
            print(graph.serialize(format="turtle"))
    _report(report)
    if report.findings:
        raise typer.Exit(1)


def sources(
    context: typer.Context,
    action: str = typer.Argument("list", help="list, or check."),
    name: str = typer.Argument("", help="The source to check; all of them where it is left out."),
    folder: Path = _FOLDER,
    format: Format = FORMAT,
) -> None:
    """List the sources with what their last run brought in; `check NAME` says what a source folder still lacks."""
    from dhu_graph.errors import UsageError

    if action == "check":
        _check(context, name, folder, format)
        return
    if action != "list":
        raise UsageError(f"{action!r} is nothing that can be done with sources.", "Use list, or check NAME.")
    columns = ("source", "title", "records", "quarantined", "retrieved", "licence", "from")
    with engine(context) as radar:
        found = [
            {
                "source": source.name,
                "title": source.title,
                "records": report.landed if report else None,
                "quarantined": report.quarantined if report else None,
                "retrieved": report.retrieved if report else "not yet",
                "licence": radar.ontology.notation(source.licence) if source.licence else "",
                "from": "project" if source.shipped else ", ".join(str(i.url) for i in source.input if i.url),
            }
            for source, report in radar.sources()
        ]
    rows(found, columns, format)


def _check(context: typer.Context, name: str, folder: Path | None, format: Format) -> None:
    with engine(context) as radar:
        names = [name] if name else [source.name for source, _ in radar.sources()]
        found = [
            {"source": each, "finding": finding}
            for each in names
            for finding in radar.check(each, folder=folder)
        ]
    rows(found, ("source", "finding"), format)
    if found:
        raise typer.Exit(1)
    say("Nothing is missing, unlicensed, unmapped or untested.")


def _told(built: "Built") -> None:
    for report in built.reports:
        _report(report)
    for name, error in built.failed.items():
        say(f"{name}: {error}")
    if built.release:
        say(
            f"Release {built.release.number}: {built.release.manifest['quads']:,} quads, {built.release.manifest['index']['documents']:,} documents."
        )
    else:
        say("Nothing changed, so no new release.")
    if built.findings:
        raise typer.Exit(1)


def _report(report: "Report") -> None:
    known = " (unchanged)" if report.unchanged else ""
    say(
        f"{report.source}{known}: {report.read:,} read, {report.in_scope:,} in scope, {report.out_of_scope:,} out of scope, "
        f"{report.landed:,} landed, {report.quarantined:,} in quarantine, {report.warnings:,} notes."
    )
    if report.kept_previous:
        say(f"  {report.kept_previous}")
    for path, count in sorted(report.unmapped.items(), key=lambda item: -item[1])[:10]:
        say(f"  Field {path} ({count:,} records) is neither mapped nor ignored.")
    shown = [e for e in report.examples if ": note: " not in e][:5] or report.examples[:3]
    for example in shown if not report.unchanged else []:
        say(f"  {example}")
    if report.quarantined:
        say(
            f"  All of the quarantine, with reasons: sources/{report.source}/quarantine.jsonl in the data folder."
        )


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    add(app, ingest, build, validate, sources)
