"""Errors as RFC 9457 problem+json for programs, as a page for browsers. Nothing internal reaches either."""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from dhu_graph.errors import DhuError, UsageError
from dhu_graph.web.views import render, wants_html

RETRY_AFTER = {503: "5"}
"""Seconds after which to try again, by status."""


def slug(error: type[DhuError]) -> str:
    """The name of a kind of error in addresses: `QueryTimeout` → `query-timeout`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", error.__name__).lower()


def kinds(error: type[DhuError] = DhuError) -> Iterator[type[DhuError]]:
    """Every kind of error that there is, each after the one it is a case of."""
    yield error
    for case in error.__subclasses__():
        yield from kinds(case)


def explained(request: Request, error: DhuError, more: Mapping[str, Any] | None = None) -> Response:
    """The answer that tells of an error; its `type` leads to its explanation, `more` are members of the problem."""
    place = f"/docs#{slug(type(error))}"
    return _problem(request, error.status, error.title, error.detail, error.hint, place, more)


def fault(request: Request) -> Response:
    """The answer where the fault is ours."""
    detail = "The server met a fault of its own; it was logged."
    return _problem(request, 500, "Something went wrong", detail, "Try again, or report it.")


def add_to(app: FastAPI) -> None:
    """Adds the handlers."""

    @app.exception_handler(DhuError)
    def known(request: Request, error: DhuError) -> Response:
        return explained(request, error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        words = "; ".join(
            _words(found["type"], str(found["loc"][-1]), found["msg"]) for found in error.errors()
        )
        return explained(request, UsageError(f"{words}.", "See /docs for what there is."))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        detail = {
            404: f"There is nothing at {request.url.path[:200]}.",
            405: f"{request.method} is not possible at {request.url.path[:200]}.",
        }.get(error.status_code, str(error.detail))
        hint = "See /docs for what there is." if error.status_code in (404, 405) else ""
        response = _problem(request, error.status_code, phrase, detail, hint)
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            # The framework names the methods of one of the routes only.
            response.headers["Allow"] = ", ".join([*_methods(request), "OPTIONS"])
        return response


def _methods(request: Request) -> list[str]:
    """The methods of an address, with HEAD wherever there is GET; GET where the description says nothing."""
    found: set[str] = set()
    for path, methods in request.app.openapi()["paths"].items():
        pattern = re.sub(r"\\{(\w+)\\}", lambda m: ".+" if m[1] == "path" else "[^/]+", re.escape(path))
        if re.fullmatch(pattern, request.url.path):
            found |= {name.upper() for name in methods}
    return [
        name
        for name in ("GET", "HEAD", "POST")
        if name in (found | {"HEAD"} if "GET" in found else found or {"GET", "HEAD"})
    ]


def _words(kind: str, name: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"There is no parameter {name[:80]!r}"
    if kind == "missing":
        return f"The parameter {name!r} is missing"
    return f"{name}: {message}"


def _problem(
    request: Request,
    status: int,
    title: str,
    detail: str,
    hint: str = "",
    type: str = "about:blank",
    more: Mapping[str, Any] | None = None,
) -> Response:
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[status]
    if wants_html(request):
        words = {"code": status, "title": title, "detail": detail, "hint": hint}
        return render(request, "error.html", status=status, headers=headers, **words)
    body: dict[str, Any] = {"type": type, "title": title, "status": status, "detail": detail}
    if hint:
        body["hint"] = hint
    body |= more or {}
    return JSONResponse(body, status, headers, media_type="application/problem+json")
