"""Commands that read the current release: search, suggest, similar, show, query, export, eval."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dhu_graph.cli.common import FORMAT, Format, add, engine, rows, say

if TYPE_CHECKING:
    from dhu_graph.engine import Engine
    from dhu_graph.model import Filter, Hit
    from dhu_graph.resources import Statement

_COUNTRY = typer.Option(
    [], "--country", help="Only this country, by name or code; may be given several times."
)
_THEME = typer.Option([], "--theme", help="Only this theme; may be given several times.")
_KIND = typer.Option(
    [], "--kind", help="Only this kind (practice, solution, policy …); may be given several times."
)
_LIMIT = typer.Option(10, "--limit", "-n", min=1, help="How many at most.")
_OPTIONS = ("country", "theme")
"""Filters that a question may name and that are options here."""
_COLUMNS = ("score", "title", "kind", "country", "passage", "iri")


def search(
    context: typer.Context,
    question: str = typer.Argument(
        help="What you look for, in plain words, in any EU language; - reads it from stdin."
    ),
    country: list[str] = _COUNTRY,
    theme: list[str] = _THEME,
    kind: list[str] = _KIND,
    limit: int = _LIMIT,
    words: bool = typer.Option(False, "--words", help="Look for the words alone, not for meaning."),
    format: Format = FORMAT,
) -> None:
    """Search by meaning, in plain words. "In quotes" must stand in an answer, -word must not."""
    text = sys.stdin.read() if question == "-" else question
    with engine(context) as radar:
        answer = radar.ask(text, _filter(radar, country, theme, kind), limit, words=words)
        _hits(radar, answer.hits, format)
        names = [
            f"--{name.column} {name.value}"
            for name in answer.question.named
            if name.column in _OPTIONS and not name.hint
        ]
        if names and not (country or theme):
            say(f"Your words name filters; to see nothing else: {' '.join(names)}")
        if answer.hits and not answer.good:
            say("No good match: nothing here is likely to answer this.")


def suggest(
    context: typer.Context,
    typed: str = typer.Argument(help="What was typed so far."),
    limit: int = typer.Option(8, "--limit", "-n", min=1, help="How many at most."),
    format: Format = FORMAT,
) -> None:
    """Suggest titles and names that begin as the words typed do."""
    with engine(context) as radar:
        found = [
            {"text": s.text, "column": s.column, "value": s.value, "count": s.count}
            for s in radar.suggest(typed, limit)
        ]
    rows(found, ("text", "column", "count", "value"), format)


def similar(
    context: typer.Context,
    resources: list[str] = typer.Argument(
        metavar="RESOURCE...",
        help="An IRI, or kind/slug as in practice/starter-at-diabcare-tirol; of several, what is like all of them. "
        "Or - for a text on stdin, such as a draft.",
    ),
    country: list[str] = _COUNTRY,
    theme: list[str] = _THEME,
    kind: list[str] = _KIND,
    limit: int = _LIMIT,
    format: Format = FORMAT,
) -> None:
    """List what is most like a resource, several together, or a text."""
    with engine(context) as radar:
        chosen = _filter(radar, country, theme, kind)
        if resources == ["-"]:
            _hits(radar, radar.alike(sys.stdin.read(), chosen, limit), format)
        else:
            _hits(radar, radar.similar(resources, chosen, limit), format)


def show(
    context: typer.Context,
    resource: str = typer.Argument(help="An IRI, or kind/slug."),
    format: Format = FORMAT,
) -> None:
    """Show one resource with all that is known of it."""
    with engine(context) as radar:
        if format is Format.ttl:
            print(_text(radar, f"DESCRIBE <{_safe(radar.iri(resource))}>", "turtle"))
            return
        found = radar.show(resource)
    if format in (Format.json, Format.jsonl):
        from dataclasses import asdict

        print(json.dumps(asdict(found), ensure_ascii=False, indent=1 if format is Format.json else None))
        return
    flat = [
        {"property": statement.label, "value": value.text, "iri": value.iri}
        for statement in _flattened(found.statements)
        for value in statement.values
    ]
    if format is Format.table:
        say(f"{found.title}\n{found.iri}\n")
    rows(flat, ("property", "value") if format is Format.table else ("property", "value", "iri"), format)


def query(
    context: typer.Context,
    text: str = typer.Argument(
        help="The name of a query of the library, a file, SPARQL itself, or - for stdin."
    ),
    parameters: list[str] = typer.Argument(
        None, metavar="[NAME=VALUE]...", help="Parameters of a query of the library."
    ),
    limit: int = typer.Option(None, "--limit", "-n", min=1, help="Print this many rows at most."),
    format: Format = FORMAT,
) -> None:
    """Run SPARQL, or a query of the library by name; `dhu query list` lists the library."""
    with engine(context) as radar:
        if text == "list":
            found = [
                {
                    "query": q.name,
                    "summary": q.summary,
                    "parameters": [f"{p.name}={p.example}" for p in q.parameters],
                }
                for q in radar.queries()
            ]
            rows(found, ("query", "summary", "parameters"), format)
            return
        bound = radar.bound(_given(text), _pairs(parameters or []))
        answer = radar.query(bound) if format is not Format.ttl else None
        if answer is None or not isinstance(answer, (list, bool)):
            print(_text(radar, bound, "turtle"))
        elif isinstance(answer, bool):
            print(str(answer).lower())
        else:
            columns = tuple(answer[0]) if answer else ()
            rows(answer[:limit], columns, format)
            if limit and len(answer) > limit:
                say(f"({limit} of {len(answer):,} rows)")
            if not answer:
                say("(no rows)")


def export(
    context: typer.Context,
    number: int = typer.Option(None, "--release", help="Which release; by default the current one."),
    graph: str = typer.Option(
        None, "--graph", help="Only this named graph: a source name, vocab or ontology."
    ),
) -> None:
    """Write a release as sorted N-Quads to stdout."""
    from dhu_graph import quads

    with engine(context) as radar:
        release = radar.shelf.get(number)
        ending = f"<{radar.settings.base}graph/{graph}> .\n".encode() if graph else b""
        for line in quads.read(release.graph):
            if line.endswith(ending):
                sys.stdout.buffer.write(line)


def eval_(
    context: typer.Context,
    name: str = typer.Argument(
        "search",
        help="search, search-24, named (filters in questions), confidence, link, or enrich (on what the starter catalogue states).",
    ),
    split: str = typer.Option(None, "--split", help="Only the open or the locked half."),
    keep: bool = typer.Option(False, "--keep", help="Keep these figures as the baseline (search only)."),
    format: Format = FORMAT,
) -> None:
    """Measure search, identity or enrichment on a judged set."""
    with engine(context) as radar:
        report = radar.evaluate(name, split, keep)
    rows(report.rows, tuple(report.rows[0]), format)
    if report.drop:
        say(report.drop)
        raise typer.Exit(1)


def _filter(radar: "Engine", country: list[str], theme: list[str], kind: list[str]) -> "Filter":
    return radar.filter(country=country, theme=theme, kind=kind)


def _hits(radar: "Engine", hits: "list[Hit]", format: Format) -> None:
    found: list[dict[str, Any]] = [
        {
            "score": round(hit.score, 3),
            "title": hit.document.title,
            "kind": hit.document.kind,
            "country": list(hit.document.filters.get("country", ())),
            "passage": hit.passage,
            "iri": hit.document.iri,
        }
        for hit in hits
    ]
    if format is Format.table:
        for row in found:
            row["passage"] = row["passage"][:240] + ("…" if len(row["passage"]) > 240 else "")
            row["country"] = row["country"] if len(row["country"]) < 5 else [*row["country"][:4], "…"]
            row["iri"] = row["iri"].removeprefix(radar.settings.base + "id/")
    rows(found, _COLUMNS, format)
    if not found:
        say("(nothing found: no resource passes the filters, or, without vectors, none holds the words)")


def _flattened(statements: "tuple[Statement, ...]", prefix: str = "") -> "list[Statement]":
    from dhu_graph.resources import Statement

    found = []
    for statement in statements:
        label = f"{prefix}{'is ' if statement.inverse else ''}{statement.label}{' of' if statement.inverse else ''}"
        found.append(Statement(statement.property, label, statement.values, statement.inverse))
        for value in statement.values:
            found += _flattened(value.parts, f"{prefix}{statement.label} › ")
    return found


def _given(text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if text.endswith((".rq", ".sparql")):
        from dhu_graph.errors import BadInput

        try:
            return Path(text).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{text} cannot be read: {error}.", "Check the path.") from None
    if text.replace("-", "").replace("_", "").isalnum():
        from dhu_graph import queries
        from dhu_graph.errors import UnknownName

        if text not in queries.names():
            raise UnknownName(f"There is no query {text!r}.", f"Queries: {', '.join(queries.names())}.")
    return text


def _pairs(parameters: list[str]) -> dict[str, str]:
    from dhu_graph.errors import UsageError

    wrong = [p for p in parameters if "=" not in p]
    if wrong:
        raise UsageError(f"{wrong[0]!r} is not of the form NAME=VALUE.", "For example country=Greece.")
    return {name: value for name, value in (p.split("=", 1) for p in parameters)}


def _text(radar: "Engine", query: str, format: str) -> str:
    with radar.answer(query, format=format) as answer:
        return b"".join(answer).decode()


def _safe(iri: str) -> str:
    from dhu_graph.errors import UsageError

    if any(c in iri for c in '<>"{}|^`\\') or any(c <= " " for c in iri):
        raise UsageError(f"{iri!r} is not an IRI.", "Check the address.")
    return iri


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    add(app, search, suggest, similar, show, query, export, eval_)
