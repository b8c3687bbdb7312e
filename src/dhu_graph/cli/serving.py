"""Commands around the service: serve, doctor."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from dhu_graph.cli.common import Progress, add, engine, say

if TYPE_CHECKING:
    from dhu_graph.engine import Engine


def serve(
    context: typer.Context,
    host: str = typer.Option(None, "--host", help="Address to serve on [default: 127.0.0.1]."),
    port: int = typer.Option(None, "--port", help="Port to serve on; 0 takes a free one [default: 8000]."),
) -> None:
    """Serve the current release over HTTP; with nothing built yet, build the radar first."""
    from dhu_graph import web

    with engine(context, host=host, port=port) as radar:
        # The port is taken before a long build, so that a busy one is told at once.
        with web.bound(radar.settings.host, radar.settings.port) as taken:
            if radar.shelf.current() is None:
                say("Nothing has been built yet: building the radar from the catalogue of the project.")
                progress = Progress()
                radar.build(progress=progress)
                progress.end()
            web.serve(radar, taken, lambda url: say(f"Serving on {url} — Ctrl-C ends it."))


def doctor(context: typer.Context) -> None:
    """Check the installation: assets, settings, model, data folder, current release."""
    from dhu_graph.errors import DhuError

    failed = False
    with engine(context) as radar:
        checks: dict[str, Callable[[], str]] = {
            "settings": lambda: (
                f"data in {radar.settings.data}, cache in {radar.settings.cache}, base {radar.settings.base}"
            ),
            "ontology": lambda: (
                f"{len(radar.ontology.kinds)} kinds, {len(radar.ontology.schemes)} schemes, {len(radar.ontology.messages)} shapes"
            ),
            "sources": lambda: ", ".join(source.name for source, _ in radar.sources()),
            "queries": lambda: ", ".join(q.name for q in radar.queries()),
            "model": lambda: _model(radar),
            "release": lambda: _release(radar),
        }
        for name, check in checks.items():
            try:
                say(f"ok    {name}: {check()}")
            except DhuError as error:
                failed = True
                say(f"FAIL  {name}: {error}")
    if failed:
        raise typer.Exit(1)


def _model(radar: "Engine") -> str:
    embedder = radar.embedder
    if embedder is None:
        return "off; search is by words alone"
    vector = embedder.queries(["health"])[0]
    return f"{embedder.name}, {len(vector)} dimensions"


def _release(radar: "Engine") -> str:
    release = radar.shelf.get()
    release.verify()
    return (
        f"{release.number}, {release.manifest['quads']:,} quads, {len(release.manifest['files'])} files whole"
    )


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    add(app, serve, doctor)
