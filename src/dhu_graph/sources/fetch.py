"""Where the bytes of a source come from: the project, a path, or an address."""

import fnmatch
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from dhu_graph.errors import BadInput, RemoteFailure, UsageError
from dhu_graph.sources.config import Input, Source

LIMIT = 2_000_000_000
"""Largest file taken, in bytes."""


@dataclass(frozen=True, slots=True)
class File:
    """One fetched file: which input it belongs to, what people call it, and where its bytes are."""

    input: Input
    name: str
    path: Path

    def digest(self) -> str:
        """SHA-256 of the bytes."""
        with self.path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(source: Source, location: str | None, scratch: Path) -> list[File]:
    """The files of a source, in a stable order.

    `location` is a file, a folder or an address; without one the files are those of the project, or else
    the addresses in `source.toml`. What comes from the web is kept under `scratch` and may be deleted later.
    Raises BadInput for a path that is not there, RemoteFailure for an address that fails.
    """
    if location is None and source.shipped:
        return list(_local(source, source.folder / source.shipped))
    if location is None:
        missing = [i.file for i in source.input if not i.url]
        if missing:
            raise UsageError(
                f"{source.name}: {', '.join(missing)} has no address.",
                "Say where it is: --from PATH or --from URL.",
            )
        return [File(i, i.file, _download(str(i.url), scratch / f"{n}")) for n, i in enumerate(source.input)]
    if "://" in location:
        if not location.startswith(("http://", "https://")):
            raise UsageError(
                f"{location} is not an http address.", "Give a path, or an http:// or https:// address."
            )
        return [
            File(_only(source, location), location.rsplit("/", 1)[-1], _download(location, scratch / "0"))
        ]
    return list(_local(source, Path(location)))


def _local(source: Source, path: Path) -> Iterator[File]:
    if path.is_file():
        yield File(_only(source, path.name), path.name, path)
    elif path.is_dir():
        for item in source.input:
            found = sorted(p for p in path.glob(item.file) if p.is_file())
            if not found:
                raise BadInput(
                    f"{source.name}: no file {item.file} in {path}.",
                    "Give the folder that holds it, or the file itself.",
                )
            for one in found:
                yield File(item, one.relative_to(path).as_posix(), one)
    else:
        raise BadInput(f"{path} is neither a file nor a folder.", "Check the path after --from.")


def _only(source: Source, name: str) -> Input:
    """The input that one single file belongs to: the one whose pattern fits, or the only one there is."""
    fitting = [i for i in source.input if fnmatch.fnmatch(name, i.file.rsplit("/", 1)[-1])]
    if len(fitting) == 1:
        return fitting[0]
    if len(source.input) == 1:
        return source.input[0]
    raise UsageError(
        f"{source.name} has several inputs and {name} fits none of them.",
        f"Give a folder with {', '.join(i.file for i in source.input)}.",
    )


def _download(url: str, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    taken = 0
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=60) as answer, target.open("wb") as out:
            if answer.status_code != 200:
                raise RemoteFailure(
                    f"{url} answered {answer.status_code}.", "Try again later, or give a file: --from PATH."
                )
            for block in answer.iter_bytes():
                taken += len(block)
                if taken > LIMIT:
                    raise RemoteFailure(
                        f"{url} is larger than {LIMIT:,} bytes.", "Download it and check what it is."
                    )
                out.write(block)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RemoteFailure(
            f"{url} could not be fetched: {error or type(error).__name__}.",
            "Check the connection, or give a file: --from PATH.",
        ) from None
    return target
