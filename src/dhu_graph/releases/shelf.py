"""The shelf of releases in the data folder: list, verify, open, flip, diff, prune."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhu_graph import quads
from dhu_graph.errors import Busy, ReleaseError, UnknownName

FORMAT = 1
"""Raised when a release made before cannot be served any more."""
_VOLATILE = ("LOG", "LOG.old", "LOCK")
"""Files of the store that opening it may touch; they hold no data."""


@dataclass(frozen=True)
class Release:
    """One release on disk: its number, its folder, and its manifest as it was read."""

    number: int
    folder: Path
    manifest: dict[str, Any]

    @property
    def graph(self) -> Path:
        """The sorted N-Quads, which everything else derives from."""
        return self.folder / "graph.nq.gz"

    @property
    def store(self) -> Path:
        """Folder of the triple store; to be opened read-only."""
        return self.folder / "store"

    @property
    def index(self) -> Path:
        """Folder of the search index."""
        return self.folder / "index"

    def verify(self) -> None:
        """Raises ReleaseError naming every file that is missing, changed or foreign."""
        expected: dict[str, str] = self.manifest["files"]
        found = checksums(self.folder)
        wrong = sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))
        if wrong:
            raise ReleaseError(
                f"Release {self.number} is damaged: {', '.join(wrong[:5])}{' …' if len(wrong) > 5 else ''}.",
                "Roll back with `dhu releases rollback`, or build again with `dhu build --force`.",
            )


class Shelf:
    """All releases of a data folder. Reading needs no lock; whoever writes holds `writing()`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "releases"
        self._pointer = data / "current"

    def numbers(self) -> list[int]:
        """The numbers of all whole releases, oldest first."""
        return sorted(
            int(p.name)
            for p in self.folder.glob("[0-9]*")
            if p.name.isdigit() and (p / "manifest.json").is_file()
        )

    def current(self) -> int | None:
        """The number of the release that is served, or None where nothing was built."""
        try:
            return int(self._pointer.read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            raise ReleaseError(
                f"{self._pointer} does not hold a number.", "Write one with `dhu releases rollback NUMBER`."
            ) from None

    def get(self, number: int | None = None) -> Release:
        """A release by number, or the current one. Raises UnknownName, or ReleaseError where nothing is built."""
        if number is None:
            number = self.current()
            if number is None:
                raise ReleaseError("Nothing has been built yet.", "Run `dhu build` first.")
        folder = self.folder / f"{number:06d}"
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            known = ", ".join(map(str, self.numbers())) or "none"
            raise UnknownName(f"There is no release {number}.", f"Releases: {known}.") from None
        except ValueError:
            manifest = {}
        if not isinstance(manifest, dict) or manifest.get("checksum") != checksum(manifest):
            raise ReleaseError(
                f"The manifest of release {number} is damaged.",
                "Roll back with `dhu releases rollback`, or build again with `dhu build --force`.",
            )
        if manifest["format"] != FORMAT:
            raise ReleaseError(
                f"Release {number} has format {manifest['format']}, this version reads {FORMAT}.",
                "Build again with `dhu build`.",
            )
        return Release(number, folder, manifest)

    def flip(self, number: int) -> None:
        """Makes a release the current one, in one step."""
        release = self.get(number)
        temporary = self._pointer.with_name("current.part")
        with temporary.open("w") as out:
            out.write(f"{release.number}\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, self._pointer)

    def rollback(self, number: int | None = None) -> int:
        """Flips to a release, or to the one before the current; returns its number."""
        if number is None:
            current = self.current()
            earlier = [n for n in self.numbers() if current is not None and n < current]
            if not earlier:
                raise UnknownName("There is no release before the current one.", "See `dhu releases list`.")
            number = earlier[-1]
        with self.writing():
            self.flip(number)
        return number

    def prune(self, keep: int) -> list[int]:
        """Deletes all but the newest `keep` releases and the current one; returns what was deleted."""
        with self.writing():
            numbers = self.numbers()
            gone = [n for n in numbers[:-keep] if n != self.current()]
            for number in gone:
                folder = self.folder / f"{number:06d}"
                # Without its manifest a folder is no release: a kill in between leaves nothing that looks whole.
                (folder / "manifest.json").unlink()
                shutil.rmtree(folder)
            return gone

    def diff(self, old: int, new: int) -> Iterator[tuple[str, str]]:
        """(`+` or `-`, N-Quads line) between two releases."""
        pair = quads.differences(quads.read(self.get(old).graph), quads.read(self.get(new).graph))
        return ((sign, line.decode().rstrip("\n")) for sign, line in pair)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the right to write in this data folder. Raises Busy where another process has it."""
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(
                    f"Another process is writing in {self.data}.", "Wait until it is done, then try again."
                ) from None
            # Only the holder of the lock builds, so whatever is half-made was left by one that died.
            pruned = (p for p in self.folder.glob("[0-9]*") if not (p / "manifest.json").exists())
            for left in [*pruned, *self.folder.glob("*.part"), *(self.data / "scratch").glob("*")]:
                shutil.rmtree(left, ignore_errors=True)
            yield


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a release but its manifest, by its path inside the folder."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (*_VOLATILE, "manifest.json")
    }
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashing needs no lock of Python's
        return dict(zip(files, pool.map(_digest, files.values()), strict=True))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksum(manifest: dict[str, Any]) -> str:
    """SHA-256 of a manifest without its own `checksum`."""
    rest = {name: value for name, value in manifest.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
