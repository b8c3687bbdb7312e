"""Takes the port, then serves until Ctrl-C or SIGTERM."""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import uvicorn

from dhu_graph.engine import Engine
from dhu_graph.errors import UsageError
from dhu_graph.web.app import create_app

_GRACE = 2
"""Seconds that running requests have when the server ends; their queries have one more (see app.py)."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that has the address. Raises UsageError where another program has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        # From now on a second server is told that the port is busy, even while this one is still building.
        taken.listen(128)
    except OSError as error:
        taken.close()
        raise UsageError(
            f"Port {port} on {host} cannot be taken: {error.strerror or error}.",
            f"Another program may be using it. Choose another, for example: dhu serve --port {port + 1 if port < 65535 else 8001}.",
        ) from None
    except OverflowError:
        taken.close()
        raise UsageError(f"{port} is not a port.", "Give a number from 0 to 65535.") from None
    try:
        yield taken
    finally:
        taken.close()


def serve(engine: Engine, taken: socket.socket, ready: Callable[[str], None]) -> None:
    """Serves on a socket from `bound`; `ready` is told the address. Returns when asked to end, within 5 s."""
    host, port = taken.getsockname()[:2]
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("dhu_graph").setLevel(logging.INFO)
    config = uvicorn.Config(
        create_app(engine),
        # Some slower than httptools, which collects headers without end.
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
    )
    reached = _EVERYWHERE.get(host, host)
    server = _Server(config, lambda: ready(f"http://{f'[{reached}]' if ':' in reached else reached}:{port}/"))
    server.run(sockets=[taken])


class _Server(uvicorn.Server):
    """Tells when it is ready, and returns on a signal instead of dying of it a second time."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
