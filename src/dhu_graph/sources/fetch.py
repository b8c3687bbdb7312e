"""Where the bytes of a source come from: the project, a path, or addresses; page by page, out of an archive."""

import fnmatch
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from dhu_graph.errors import BadInput, UsageError
from dhu_graph.sources import archive, pages
from dhu_graph.sources.config import Input, Source


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

    `location` is a file, a folder, an archive or an address; without one the files are those of the project, or else
    the addresses in `source.toml`. What comes from the web is kept under `scratch` and may be deleted later.
    Raises BadInput for a path that is not there or an archive that is not safe, RemoteFailure for an address that fails.
    """
    if location is None and source.shipped:
        found = list(_local(source, source.folder / source.shipped))
    elif location is None:
        found = list(_remote(source, scratch / "web"))
    elif "://" in location:
        if not location.startswith(("http://", "https://")):
            raise UsageError(
                f"{location} is not an http address.", "Give a path, or an http:// or https:// address."
            )
        item = _given(source, _file_name(location))
        got = pages.get(source, item, location, scratch / "web")
        found = [File(item, printable(name), path) for name, path in got]
    else:
        found = list(_local(source, Path(location)))
    return [
        file for number, one in enumerate(found) for file in _opened(source, one, scratch / f"zip{number}")
    ]


def printable(name: str) -> str:
    """A name from outside as it may stand in messages: no control characters, no halves of characters, not endless."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name[:300])


def _remote(source: Source, scratch: Path) -> Iterator[File]:
    missing = [item.file for item in source.input if not (item.url or item.addresses)]
    if missing:
        raise UsageError(
            f"{source.name}: {', '.join(missing)} has no address.",
            "Say where it is: --from PATH or --from URL.",
        )
    taken: dict[tuple[str, ...], list[tuple[str, Path]]] = {}  # one ZIP may hold the files of several inputs
    for item in source.input:
        for address in [item.url] if item.url else _listed(source, item):
            key = (str(address), item.query, item.pages or "", item.format)
            if key not in taken:
                taken[key] = list(pages.get(source, item, str(address), scratch / str(len(taken))))
            for name, path in taken[key]:
                yield File(item, printable(name), path)


def _listed(source: Source, item: Input) -> list[str]:
    path = source.folder / item.addresses
    if not path.is_file():
        raise BadInput(
            f"{source.name}: there is no {item.addresses} in its folder.",
            "`addresses` names a file of addresses.",
        )
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    found = [line for line in lines if line]
    if not found:
        raise BadInput(
            f"{source.name}: {item.addresses} lists no address yet.",
            "Put one a line; `terms` in source.toml says which. Or give a file: --from PATH.",
        )
    return found


def _opened(source: Source, file: File, scratch: Path) -> list[File]:
    """The file itself, or what its input asks for where it is an archive."""
    if file.input.format == "xlsx" or not archive.is_archive(file.path):
        return [file]
    inputs = [file.input] if file.input.url or file.input.addresses else list(source.input)
    found = []
    for number, item in enumerate(inputs):
        members = archive.unpacked(file.path, file.name, item.file, scratch / str(number))
        if not members:
            raise BadInput(
                f"{source.name}: no file {item.file} in {file.name}.", "Check `file` in source.toml."
            )
        for name, path in members:
            if archive.is_archive(path) and item.format != "xlsx":
                raise BadInput(f"{name} is an archive inside an archive.", "Unpack it by hand.")
        found += [File(item, printable(name), path) for name, path in members]
    return found


def _local(source: Source, path: Path) -> Iterator[File]:
    if path.is_file():
        inner = archive.is_archive(path) and source.input[0].format != "xlsx"
        item = source.input[0] if inner else _only(source, path.name)
        yield File(_unplaced(item) if inner else item, printable(path.name), path)
    elif path.is_dir():
        for item in source.input:
            found = sorted(p for p in path.glob(item.file) if p.is_file())
            if not found:
                raise BadInput(
                    f"{source.name}: no file {item.file} in {path}.",
                    "Give the folder that holds it, or the file itself.",
                )
            for one in found:
                yield File(item, printable(one.relative_to(path).as_posix()), one)
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


def _given(source: Source, name: str) -> Input:
    """The input that an address given by hand belongs to; a ZIP holds the files of all."""
    return _unplaced(source.input[0]) if name.lower().endswith(".zip") else _only(source, name)


def _unplaced(item: Input) -> Input:
    """An input as it is where all inputs are looked for in one archive: its own address plays no part."""
    return item.model_copy(update={"url": None, "addresses": "", "pages": None, "query": ""})


def _file_name(address: str) -> str:
    return PurePosixPath(urlsplit(address).path).name
