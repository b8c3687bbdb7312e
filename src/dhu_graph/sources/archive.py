"""Archives: a ZIP is opened only after its table of contents has been checked, and only what is asked for is taken out."""

import fnmatch
import lzma
import stat
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath

from dhu_graph.errors import BadInput

LARGEST = 2_000_000_000
"""Most bytes that the members of an archive may have together when unpacked."""
MOST_MEMBERS = 50_000
LARGEST_CONTENTS = 20_000_000
"""Most bytes of a table of contents; all of it must be in memory."""
WIDEST = 200
"""Most times that a member, or all of them together, may be larger than the packed bytes, from a megabyte on."""
_LOCAL_HEADER = 30
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
"""What the library says of archives that are damaged, on purpose or not."""


def is_archive(path: Path) -> bool:
    """Whether a file begins as a ZIP does."""
    with path.open("rb") as stream:
        return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def checked(archive: zipfile.ZipFile, name: str, size: int, largest: int = LARGEST) -> list[zipfile.ZipInfo]:
    """The files of an archive of `size` bytes. Raises BadInput for a bomb, and for members that are not what they seem."""
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise BadInput(f"{name} has {len(members):,} members.", f"At most {MOST_MEMBERS:,} are taken.")
    for member in members:
        _check(member, name)
    total = sum(member.file_size for member in members)
    if total > largest:
        raise BadInput(f"{name} unpacks to {total:,} bytes.", f"At most {largest:,} are taken.")
    if total > 1_000_000 and total > WIDEST * size:
        raise BadInput(
            f"{name} unpacks to {total:,} bytes from {size:,}.",
            "That is how a bomb looks. Unpack it by hand if you trust it.",
        )
    _check_overlap(members, name)
    twice = [inside for inside, count in Counter(map(_inside, members)).items() if count > 1]
    if twice:
        raise BadInput(
            f"{name} has two members named {twice[0]!r}.", "Unpack it by hand and say which counts."
        )
    return [member for member in members if not member.is_dir()]


def _check_contents(path: Path, name: str) -> None:
    """Where an archive ends stands how long its table of contents is, or (ZIP64) that it is longer than fits there."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (1 << 16) - 22))
        tail = stream.read()
    end = tail.rfind(b"PK\x05\x06")
    told = tail[end + 12 : end + 16] if end >= 0 else b""
    if b"PK\x06\x07" in tail or (len(told) == 4 and struct.unpack("<L", told)[0] > LARGEST_CONTENTS):
        raise BadInput(f"{name} has a table of contents that is too long.", "Unpack it by hand.")


def _check(member: zipfile.ZipInfo, name: str) -> None:
    path = PurePosixPath(_inside(member))
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise BadInput(
            f"{name} has a member {member.filename!r}, which points out of the archive.",
            "Do not trust this file; ask its owner.",
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise BadInput(
            f"{name} has a member {member.filename!r}, which is a link.",
            "Do not trust this file; ask its owner.",
        )
    if member.flag_bits & 1:
        raise BadInput(f"{name}: {member.filename!r} is encrypted.", "Unpack it by hand.")
    # The other ways of packing unpack thousandfold in one step.
    if member.compress_type not in _PACKED:
        raise BadInput(
            f"{name}: {member.filename!r} is packed in an unusual way.",
            "Pack it anew as a plain ZIP (deflate).",
        )
    if member.file_size > 1_000_000 and member.file_size > WIDEST * max(1, member.compress_size):
        raise BadInput(
            f"{name}: {member.filename!r} unpacks to {member.file_size:,} bytes from {member.compress_size:,}.",
            "That is how a bomb looks. Unpack it by hand if you trust it.",
        )


def _check_overlap(members: list[zipfile.ZipInfo], name: str) -> None:
    """Members that share bytes are how small archives become large ones."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise BadInput(
                f"{name}: {member.filename!r} shares bytes with another member.",
                "That is how a bomb looks. Unpack it by hand if you trust it.",
            )
        end = member.header_offset + _LOCAL_HEADER + member.compress_size


def inspected(path: Path, name: str, largest: int = LARGEST) -> None:
    """Checks an archive that something else will open. Raises BadInput."""
    try:
        _check_contents(path, name)
        with zipfile.ZipFile(path) as archive:
            checked(archive, name, path.stat().st_size, largest)
    except _BROKEN as error:
        raise _unreadable(name, error) from None


def unpacked(path: Path, name: str, pattern: str, target: Path) -> list[tuple[str, Path]]:
    """(name, path) of the members that fit a pattern, taken out into `target`, in order. Raises BadInput."""
    found = []
    try:
        _check_contents(path, name)
        with zipfile.ZipFile(path) as archive:
            members = checked(archive, name, path.stat().st_size)
            for number, member in enumerate(sorted(members, key=lambda m: m.filename)):
                inside = _inside(member)
                if not (
                    fnmatch.fnmatch(inside, pattern) or fnmatch.fnmatch(PurePosixPath(inside).name, pattern)
                ):
                    continue
                # A name of our own: what the archive calls its members is never used as a path.
                out = target / str(number)
                out.parent.mkdir(parents=True, exist_ok=True)
                _take_out(archive, member, name, out)
                found.append((f"{name}/{inside}", out))
    except _BROKEN as error:
        raise _unreadable(name, error) from None
    return found


def _take_out(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, out: Path) -> None:
    with archive.open(member) as packed, out.open("wb") as plain:
        left = member.file_size
        while block := packed.read(1 << 20):
            left -= len(block)
            plain.write(block)
    if left:
        raise BadInput(f"{name}: {member.filename!r} is not as long as its table of contents says.")


def _inside(member: zipfile.ZipInfo) -> str:
    return member.filename.replace("\\", "/")


def _unreadable(name: str, error: Exception) -> BadInput:
    return BadInput(f"{name} is not an archive that can be read: {error}.", "Download it again.")
