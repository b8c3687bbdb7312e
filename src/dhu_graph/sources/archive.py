"""Archives: a ZIP is opened only after its table of contents has been checked, and only what is asked for is taken out."""

import fnmatch
import zipfile
from pathlib import Path, PurePosixPath

from dhu_graph.errors import BadInput

LARGEST = 2_000_000_000
"""Most bytes that the members of an archive may have together when unpacked."""
MOST_MEMBERS = 50_000
WIDEST = 200
"""Most times that a member of more than a megabyte may be larger than its packed bytes."""


def is_archive(path: Path) -> bool:
    """Whether a file begins as a ZIP does."""
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def checked(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The files of an archive. Raises BadInput for a bomb, and for members that point out of it."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BadInput(f"{name} has {len(members):,} members.", f"At most {MOST_MEMBERS:,} are taken.")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise BadInput(
                f"{name} has a member {member.filename!r}, which points out of the archive.",
                "Do not trust this file; ask its owner.",
            )
        if member.file_size > 1_000_000 and member.file_size > WIDEST * max(1, member.compress_size):
            raise BadInput(
                f"{name}: {member.filename!r} unpacks to {member.file_size:,} bytes from {member.compress_size:,}.",
                "That is how a bomb looks. Unpack it by hand if you trust it.",
            )
    if (total := sum(member.file_size for member in members)) > LARGEST:
        raise BadInput(f"{name} unpacks to {total:,} bytes.", f"At most {LARGEST:,} are taken.")
    return [member for member in members if not member.is_dir()]


def unpacked(path: Path, name: str, pattern: str, target: Path) -> list[tuple[str, Path]]:
    """(name, path) of the members that fit a pattern, taken out into `target`, in order. Raises BadInput."""
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for number, member in enumerate(sorted(checked(archive, name), key=lambda m: m.filename)):
                inside = member.filename.replace("\\", "/")
                if not (
                    fnmatch.fnmatch(inside, pattern) or fnmatch.fnmatch(PurePosixPath(inside).name, pattern)
                ):
                    continue
                # A name of our own: what the archive calls its members is never used as a path.
                out = target / str(number)
                out.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as packed, out.open("wb") as plain:
                    left = member.file_size
                    while block := packed.read(min(1 << 20, left + 1)):
                        left -= len(block)
                        if left < 0:
                            raise BadInput(f"{name}: {inside!r} is larger than its table of contents says.")
                        plain.write(block)
                found.append((f"{name}/{inside}", out))
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
    ) as error:
        raise BadInput(f"{name} is not an archive that can be read: {error}.", "Download it again.") from None
    return found
