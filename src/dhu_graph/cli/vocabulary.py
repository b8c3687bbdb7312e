"""Commands on the vocabularies: the review sheet of a language, out and in again."""

import sys
from pathlib import Path

import typer

from dhu_graph.cli.common import engine, say

app = typer.Typer(help="The labels of the vocabularies in the EU languages.", no_args_is_help=True)


@app.command("export")
def export(
    context: typer.Context,
    language: str = typer.Argument(help="The language of the labels: de, fr, mt …"),
    file: Path = typer.Argument(None, help="A file ending in .xlsx or .csv; without one, CSV on stdout."),
) -> None:
    """Write the review sheet of a language: every term with its label, its meaning, and whether a person has seen it."""
    from dhu_graph import labels
    from dhu_graph.errors import UsageError

    with engine(context) as radar:
        rows = labels.sheet(radar.ontology, language)
    machine = sum(row.status == "machine" for row in rows)
    if file is None:
        sys.stdout.write(labels.to_csv(rows, language))
    elif file.suffix.lower() == ".xlsx":
        labels.to_xlsx(rows, language, file)
    elif file.suffix.lower() == ".csv":
        file.write_text(labels.to_csv(rows, language), encoding="utf-8-sig")
    else:
        raise UsageError(f"{file.name} ends neither in .xlsx nor in .csv.", "Choose one of the two.")
    say(
        f"{language}: {len(rows)} terms, {machine} of them machine-made, {sum(not row.label for row in rows)} without a label."
    )


@app.command("import")
def import_(
    context: typer.Context,
    file: Path = typer.Argument(help="The reviewed sheet, .xlsx or .csv."),
    language: str = typer.Option(
        "", "--language", "-l", help="Its language, where the name does not end in it (labels-de.xlsx)."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would change."),
) -> None:
    """Take a reviewed sheet in: what was marked or changed is no longer machine-made. Then run `dhu build`."""
    from dhu_graph import labels

    chosen = language or file.stem.replace("_", "-").rsplit("-", 1)[-1]
    with engine(context) as radar:
        before = {row.id: row for row in labels.sheet(radar.ontology, chosen)}
        rows = labels.reviewed(radar.ontology, chosen, labels.read(file))
    changed = [row for row in rows if row != before[row.id]]
    for row in changed[:50]:
        old = before[row.id]
        say(
            f"{row.id}: {old.label or '(none)'} → {row.label}"
            if old.label != row.label
            else f"{row.id}: reviewed"
        )
    if len(changed) > 50:
        say(f"… and {len(changed) - 50} more.")
    if changed and not dry_run:
        for path in labels.write(rows, chosen):
            say(f"Written: {path}")
    say(
        f"{chosen}: {len(changed)} labels {'would be' if dry_run else 'are'} reviewed anew; "
        f"{sum(row.status == 'machine' for row in rows)} of {len(rows)} stay machine-made."
        + (" Run `dhu build` to see them." if changed and not dry_run else "")
    )


def add_to(parent: typer.Typer) -> None:
    """Adds these commands under `vocab`."""
    parent.add_typer(app, name="vocab")
