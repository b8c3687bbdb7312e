"""How many requests may wait for query workers at once, so that waiting ones never take all threads from the pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dhu_graph.errors import Busy

WAITING = 16
"""Requests that may wait beside those being answered; the server has 40 threads."""


class Gate:
    """Lets `workers` plus WAITING through at a time."""

    def __init__(self, workers: int) -> None:
        self._places = threading.BoundedSemaphore(min(workers + WAITING, 32))

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Holds a place. Raises Busy at once where there is none."""
        if not self._places.acquire(blocking=False):
            raise Busy("Too many queries are waiting already.", "Try again in a moment.")
        try:
            yield
        finally:
            self._places.release()
