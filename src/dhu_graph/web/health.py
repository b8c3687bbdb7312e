"""`/health`: whether a release is served, and which."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from dhu_graph import __version__
from dhu_graph.errors import ReleaseError
from dhu_graph.web.views import engine_of
from dhu_graph.web.watcher import Watcher

router = APIRouter()


class Health(BaseModel):
    """`status` is `ok`, or `unavailable` (HTTP 503); `problem` says why the newest release is not served."""

    status: str
    version: str = __version__
    release: int | None = None
    created: str | None = None
    quads: int | None = None
    documents: int | None = None
    sources: dict[str, int] = {}
    model: str | None = None
    problem: str | None = None


@router.get("/health", summary="Whether a release is served, and which", responses={200: {"model": Health}})
def health(request: Request) -> Response:
    """503 where nothing is served."""
    watcher: Watcher = request.app.state.watcher
    status, about = 200, Health(status="ok", problem=watcher.problem or None)
    try:
        with engine_of(request).reading() as opened:
            manifest = opened.release.manifest
            about = about.model_copy(
                update={
                    "release": opened.release.number,
                    "created": manifest["created"],
                    "quads": manifest["quads"],
                    "documents": manifest["index"]["documents"],
                    "sources": {name: source["records"] for name, source in manifest["sources"].items()},
                    "model": (manifest["index"].get("model") or {}).get("name"),
                }
            )
    except ReleaseError as error:
        status, about = 503, Health(status="unavailable", problem=str(error))
    headers = {"Cache-Control": "no-store", **({"Retry-After": "5"} if status == 503 else {})}
    return JSONResponse(about.model_dump(), status, headers)
