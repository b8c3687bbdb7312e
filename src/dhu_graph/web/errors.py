"""Errors as RFC 9457 problem+json for programs, as a page for browsers. Nothing internal reaches either."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dhu_graph.errors import DhuError
from dhu_graph.web.views import render, wants_html

log = logging.getLogger("dhu_graph.web")


def problem(request: Request, status: int, title: str, detail: str, hint: str = "") -> Response:
    """One error, in the form that the client asked for."""
    headers = {"Retry-After": "5"} if status == 503 else {}
    if wants_html(request):
        return render(
            request,
            "error.html",
            status=status,
            headers=headers,
            code=status,
            title=title,
            detail=detail,
            hint=hint,
        )
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if hint:
        body["hint"] = hint
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def add_to(app: FastAPI) -> None:
    """Adds the handlers."""

    @app.exception_handler(DhuError)
    def known(request: Request, error: DhuError) -> Response:
        return problem(request, error.status, error.title, error.detail, error.hint)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(f"{e['loc'][-1]}: {e['msg']}" for e in error.errors())
        return problem(request, 400, "The request is not usable", f"{words}.", "See /docs.")

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        hint = "See /docs for what there is." if error.status_code in (404, 405) else ""
        return problem(
            request,
            error.status_code,
            "Not found" if error.status_code == 404 else "Not possible",
            str(error.detail),
            hint,
        )

    @app.exception_handler(Exception)
    def unknown(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return problem(
            request,
            500,
            "Something went wrong",
            "The server met a fault of its own; it was logged.",
            "Try again.",
        )
