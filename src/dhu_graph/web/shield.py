"""What surrounds every request: limits of size, security headers, open CORS, HEAD, and the last net for faults."""

import asyncio
import logging
from collections.abc import Mapping
from typing import ClassVar

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dhu_graph.errors import Busy, DhuError, UsageError
from dhu_graph.web.errors import explained, fault

log = logging.getLogger("dhu_graph.web")

LONGEST_ADDRESS = 16_384
LARGEST_HEADERS = 32_768
_METHODS = "GET, HEAD, POST, OPTIONS"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    # What is here is public, and what writes asks for a key that no browser sends by itself: any page may ask.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Location, Retry-After",
}
_PREFLIGHT = {
    "Allow": _METHODS,
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


class AddressTooLong(UsageError):
    """The address does not fit."""

    status: ClassVar[int] = 414
    title: ClassVar[str] = "The address is too long"


class HeadersTooLarge(UsageError):
    """The headers do not fit."""

    status: ClassVar[int] = 431
    title: ClassVar[str] = "The headers are too large"


class BodyTooLarge(UsageError):
    """The body does not fit."""

    status: ClassVar[int] = 413
    title: ClassVar[str] = "The request is too large"


class Shield:
    """ASGI middleware; `largest_body` in bytes, `larger` that of paths which take whole files."""

    def __init__(self, app: ASGIApp, largest_body: int, larger: Mapping[str, int] | None = None) -> None:
        self._app, self._largest_body, self._larger = app, largest_body, larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        answered = False

        async def sending(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                for name, value in (_HEADERS | _PREFLIGHT if method == "OPTIONS" else _HEADERS).items():
                    headers.setdefault(name, value)
            elif method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        if method == "OPTIONS":
            await sending({"type": "http.response.start", "status": 204, "headers": []})
            await sending({"type": "http.response.body", "body": b""})
            return
        request = Request(scope)
        try:
            self._measure(scope)
            # Whatever can be got can be asked about: routes know GET, and the body is dropped on its way out.
            inner = {**scope, "method": "GET"} if method == "HEAD" else scope
            await self._app(inner, self._counted(receive, self._largest(scope)), sending)
        except DhuError as error:
            if not answered:
                await explained(request, error)(scope, receive, sending)
        except asyncio.CancelledError:
            # The server is ending and has waited long enough.
            if not answered:
                closing = Busy("The service is closing.", "Try again later.")
                await explained(request, closing)(scope, receive, sending)
        except Exception:
            log.exception("%s %s failed", method, scope["path"])
            if not answered:
                await fault(request)(scope, receive, sending)

    def _measure(self, scope: Scope) -> None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
            raise AddressTooLong(
                f"The address is longer than {LONGEST_ADDRESS:,} bytes.", "Send long queries by POST."
            )
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEADERS:
            raise HeadersTooLarge(f"The headers are larger than {LARGEST_HEADERS:,} bytes.", "Send fewer.")
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > self._largest(scope):
            raise _too_large(self._largest(scope))

    def _largest(self, scope: Scope) -> int:
        return self._larger.get(scope["path"], self._largest_body)

    def _counted(self, receive: Receive, largest: int) -> Receive:
        taken = 0

        async def receiving() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise _too_large(largest)
            return message

        return receiving


def _too_large(largest: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request is larger than {largest:,} bytes.", "Send less at once.")
