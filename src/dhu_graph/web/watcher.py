"""Follows the pointer to the current release: a new one is opened beside the old and takes its place."""

import logging
import threading

from dhu_graph.engine import Engine
from dhu_graph.errors import DhuError

log = logging.getLogger("dhu_graph.web")
EVERY = 1.0
"""Seconds between two looks."""


class Watcher:
    """A thread that calls `engine.refresh()`; a release that cannot be opened is told once, and the old one stays."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="release-watcher", daemon=True)
        self._told = ""

    def start(self) -> None:
        """Opens the current release, then follows it."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(EVERY):
            self._look()

    def _look(self) -> None:
        try:
            if self._engine.refresh():
                with self._engine.reading() as opened:
                    opened.warm()
                    log.info("Serving release %s", opened.release.number)
            self._told = ""
        except DhuError as error:
            if str(error) != self._told:
                log.warning("%s", error)
            self._told = str(error)
        except Exception:
            if self._told != "fault":
                log.exception("The new release could not be opened")
            self._told = "fault"
