"""Puts the application together: routes, errors, security headers, and the watcher of new releases."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from dhu_graph import __version__
from dhu_graph.engine import Engine
from dhu_graph.web import api, documents, errors, pages, sparql
from dhu_graph.web.watcher import Watcher

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer-when-downgrade",
    # Everything here is public and read-only, so any page may ask.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After",
}


def create_app(engine: Engine) -> FastAPI:
    """The application over an engine; it opens the current release at start and follows it."""

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        watcher = Watcher(engine)
        watcher.start()
        try:
            yield
        finally:
            watcher.stop()
            engine.close()

    # FastAPI's own documentation pages load scripts from elsewhere; /docs is a page of ours.
    app = FastAPI(title="DHU Graph", version=__version__, docs_url=None, redoc_url=None, lifespan=life)
    app.state.engine = engine
    errors.add_to(app)
    for module in (api, sparql, documents, pages):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")

    @app.middleware("http")
    async def headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if request.method == "OPTIONS":
            response = Response(status_code=204, headers={"Allow": "GET, POST, HEAD, OPTIONS"})
        else:
            response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app
