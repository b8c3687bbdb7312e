"""Commands on identity: what was found to be one thing, what waits for a person, and what a person says."""

from typing import TYPE_CHECKING

import typer

from dhu_graph.cli.common import FORMAT, Format, Progress, engine, rows, say

if TYPE_CHECKING:
    from dhu_graph.link import Judged, Linked

app = typer.Typer(help="Which records tell of one thing: found, reviewed, decided.", no_args_is_help=True)

_NOTE = typer.Option("", "--note", help="Why, in a few words.")
_LEFT = typer.Argument(metavar="A", help="An IRI, or kind/slug.")
_RIGHT = typer.Argument(metavar="B", help="The other one.")
_BUILD = typer.Option(True, help="Make a release with it at once.")


@app.command("list")
def list_(context: typer.Context, format: Format = FORMAT) -> None:
    """List the things that several records tell of, and why they were joined."""
    with engine(context) as radar:
        linked = radar.links()
        found = [
            {
                "iri": thing.iri,
                "title": radar.label(thing.iri),
                "also": thing.others,
                "records": len(thing.others) + 1,
                "because": [_because(linked, pair) for pair in thing.pairs],
            }
            for thing in linked.things
        ]
    rows(found, ("records", "title", "iri", "also", "because"), format)


@app.command("review")
def review(
    context: typer.Context,
    limit: int = typer.Option(50, "--limit", "-n", min=1, help="How many at most, the likeliest first."),
    format: Format = FORMAT,
) -> None:
    """List the pairs that could be one thing and wait for a person."""
    with engine(context) as radar:
        waiting = radar.links().review
        rows(
            [_pair(one, radar.label(one.left), radar.label(one.right)) for one in waiting[:limit]],
            _COLUMNS,
            format,
        )
    say(f"{len(waiting)} pairs wait. Decide with `dhu link same A B` or `dhu link different A B`.")


@app.command("same")
def same(
    context: typer.Context, left: str = _LEFT, right: str = _RIGHT, note: str = _NOTE, build: bool = _BUILD
) -> None:
    """Say that two are one thing."""
    _decide(context, left, right, "same", note, build)


@app.command("different")
def different(
    context: typer.Context, left: str = _LEFT, right: str = _RIGHT, note: str = _NOTE, build: bool = _BUILD
) -> None:
    """Say that two are not one thing; what was joined is taken apart."""
    _decide(context, left, right, "different", note, build)


@app.command("undo")
def undo(
    context: typer.Context, left: str = _LEFT, right: str = _RIGHT, note: str = _NOTE, build: bool = _BUILD
) -> None:
    """Take back what was said of two, and leave them to the machine."""
    _decide(context, left, right, "undecided", note, build)


@app.command("log")
def log(context: typer.Context, format: Format = FORMAT) -> None:
    """List every decision that people made, in the order of their dates."""
    with engine(context) as radar:
        found = [
            {"date": d.date, "verdict": d.verdict, "a": d.left, "b": d.right, "note": d.note}
            for d in radar.decisions()
        ]
    rows(found, ("date", "verdict", "a", "b", "note"), format)


_COLUMNS = ("score", "left", "right", "reasons", "a", "b")


def _because(linked: "Linked", pair: tuple[str, str]) -> str:
    decision = linked.decided.get(pair)
    if decision:
        return f"a person, {decision.date[:10]}" + (f": {decision.note}" if decision.note else "")
    judged = linked.judged.get(pair)
    return "; ".join(f"{what} {weight:+g}" for what, weight in judged.reasons) if judged else ""


def _pair(one: "Judged", left: str, right: str) -> dict[str, object]:
    reasons = "; ".join(f"{what} {weight:+g}" for what, weight in one.reasons)
    return {
        "score": one.score,
        "left": left,
        "right": right,
        "reasons": reasons,
        "a": one.left,
        "b": one.right,
    }


def _decide(context: typer.Context, left: str, right: str, verdict: str, note: str, build: bool) -> None:
    progress = Progress()
    with engine(context) as radar:
        decision = radar.decide(left, right, verdict, note)
        say(f"Noted: {decision.left} and {decision.right} are {verdict}.")
        built = radar.relink(progress) if build else None
    progress.end()
    if built:
        say(f"Release {built.release.number}." if built.release else "That changes nothing in the graph.")


def add_to(parent: typer.Typer) -> None:
    """Adds these commands under `link`."""
    parent.add_typer(app, name="link")
