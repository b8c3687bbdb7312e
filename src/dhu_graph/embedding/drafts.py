"""Folders of the cache that are either there and complete, or not there."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dhu_graph.errors import BadInput

PREFIX = ".draft-"

ABANDONED = 24 * 3600.0
"""Seconds after which the draft of a process that was killed is removed."""


@contextmanager
def draft(folder: Path, need: str) -> Iterator[Path]:
    """A folder to write into, which gets the name `folder` in the end.

    A kill leaves no half folder, and of two processes at once one wins and both are served. Raises BadInput, with
    `need` as its hint, when there is no room.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _tidy(folder.parent)
        made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder.parent))
        try:
            yield made
            for path in made.iterdir():
                if path.is_file():
                    _sync(path)
            made.chmod(0o755)  # mkdtemp makes it private; the cache may be shared
            with contextlib.suppress(OSError):  # the other process was faster, its folder is as good
                made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise BadInput(f"The model cannot be written into {folder.parent}: {error}", need) from error


def _tidy(parent: Path) -> None:
    for path in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    # The rename must not reach the disk before the content does, or a power cut leaves empty files in place.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
