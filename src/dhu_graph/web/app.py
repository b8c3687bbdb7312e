"""Puts the application together: routes, errors, the shield around them, and the watcher of new releases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import BoundedSemaphore

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles

from dhu_graph import __version__
from dhu_graph.engine import Engine
from dhu_graph.web import (
    api,
    contributions,
    documents,
    errors,
    graphs,
    health,
    library,
    namespace,
    pages,
    quality,
    sparql,
)
from dhu_graph.web.gate import Gate
from dhu_graph.web.shield import Shield
from dhu_graph.web.watcher import Watcher

_BYTES_A_CHARACTER = 12
"""Four bytes of UTF-8, each escaped to three."""


def create_app(engine: Engine) -> FastAPI:
    """The application over an engine; it opens the current release at start and follows it."""
    watcher = Watcher(engine)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(watcher.start)
        try:
            yield
        finally:
            await run_in_threadpool(watcher.stop)
            await run_in_threadpool(engine.close, 1.0)

    # FastAPI's own documentation pages load scripts from elsewhere; /docs is a page of ours.
    app = FastAPI(
        title="DHU Graph",
        version=__version__,
        summary="The radar of digital-health uptake in Europe; what is served only changes with a release.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.engine, app.state.watcher = engine, watcher
    app.state.gate = Gate(engine.settings.sparql_workers)
    app.state.checks = BoundedSemaphore(contributions.AT_ONCE)
    app.add_middleware(
        Shield,
        largest_body=_BYTES_A_CHARACTER * engine.settings.sparql_length + 4_096,
        larger={"/api/contributions": engine.settings.contribution_file_mb * 1_000_000 + 65_536},
    )
    errors.add_to(app)
    for module in (pages, api, contributions, quality, library, sparql, documents, graphs, namespace, health):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
