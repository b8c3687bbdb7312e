"""Follows the pointer to the current release: a new one is opened beside the old and takes its place."""

import logging
import threading
import time

from dhu_graph.engine import Engine
from dhu_graph.errors import DhuError

log = logging.getLogger("dhu_graph.web")
EVERY = 1.0
"""Seconds between two looks."""
PATIENCE = 60.0
"""Seconds until a release that could not be opened is tried again: verifying one reads all of it."""


class Watcher:
    """A thread that calls `engine.refresh()`; a release that cannot be opened is told once, and the old one stays."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="release-watcher", daemon=True)
        self._refused: int | None = None
        self._again = 0.0
        self.problem = ""
        """Why the newest release is not served; empty where it is."""

    def start(self) -> None:
        """Opens the current release, then follows it."""
        self.look()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a release that is being opened just now is not waited for."""
        self._stopped.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while not self._stopped.wait(EVERY):
            self.look()

    def look(self) -> None:
        """Opens the current release if it is not the one that is open."""
        number: int | None = None
        try:
            number = self._engine.shelf.current()
            if self.problem and number == self._refused and time.monotonic() < self._again:
                return
            if self._engine.refresh():
                with self._engine.reading() as opened:
                    opened.warm()
                    log.info("Serving release %s", opened.release.number)
            self.problem = ""
        except DhuError as error:
            self._refuse(number, str(error))
        except Exception as error:
            if not self.problem:
                log.exception("Release %s could not be opened", number)
            self._refuse(number, f"Release {number} could not be opened: {type(error).__name__}.", told=True)

    def _refuse(self, number: int | None, why: str, told: bool = False) -> None:
        if why != self.problem and not told:
            log.warning("%s", why)
        # Where nothing is built there is nothing to verify, so the first release is seen at once.
        self._refused, self._again = number, time.monotonic() + (PATIENCE if number is not None else 0.0)
        self.problem = why
