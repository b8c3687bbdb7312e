"""Hostile archives: bombs, lying tables of contents, paths that lead out, links, what is locked or named twice."""

import io
import json
import stat
import struct
import time
import zipfile
from pathlib import Path

import pytest

from dhu_graph.errors import BadInput
from dhu_graph.sources import archive
from hostile import Run
from small_sources import practice

Members = list[tuple[str | zipfile.ZipInfo, bytes]]


def packed(*members: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as made:
        for name, content in members:
            made.writestr(name, content)
    return out.getvalue()


def line(number: int) -> bytes:
    """A practice as a line of JSON."""
    return json.dumps(practice(number)).encode() + b"\n"


def changed(content: bytes, field: int, value: int, size: str = "<L") -> bytes:
    """The archive with another number in the last entry of its table of contents, at this offset."""
    at = content.rindex(b"PK\x01\x02") + field
    number = struct.pack(size, value)
    return content[:at] + number + content[at + len(number) :]


def link() -> zipfile.ZipInfo:
    """A member that is a link."""
    info = zipfile.ZipInfo("r.jsonl")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


GOOD = packed(("a/r.jsonl", line(1)), ("b/notes.txt", b"x"))
BIG = b"0" * 3_000_000
BAD = {
    "flat bomb": (packed(("r.jsonl", BIG)), "how a bomb looks"),
    "many small bombs": (packed(*((f"{n}.jsonl", b"0" * 900_000) for n in range(20))), "how a bomb looks"),
    "nested": (packed(("r.jsonl", packed(("r.jsonl", line(1))))), "an archive inside an archive"),
    "told too large": (changed(packed(("r.jsonl", line(1))), 24, 4_000_000_000), "unpacks to 4,000,000,000 bytes"),
    "told too small": (changed(packed(("r.jsonl", line(1) * 50)), 24, 10), "that can be read"),
    "told a little larger": (changed(packed(("r.jsonl", line(1))), 24, 200), "not as long as"),
    "up": (packed(("../r.jsonl", line(1))), "points out of the archive"),
    "up inside": (packed(("a/../../r.jsonl", line(1))), "points out of the archive"),
    "absolute": (packed(("/tmp/r.jsonl", line(1))), "points out of the archive"),
    "backslash": (packed(("..\\r.jsonl", line(1))), "points out of the archive"),
    "drive": (packed(("C:\\r.jsonl", line(1))), "points out of the archive"),
    "no name": (packed((".", line(1)), ("r.jsonl", line(1))), "points out of the archive"),
    "link": (packed((link(), b"/etc/passwd")), "which is a link"),
    "encrypted": (changed(packed(("r.jsonl", line(1))), 8, 1, "<H"), "is encrypted"),
    "bzip2": (packed(("r.jsonl", line(1)), how=zipfile.ZIP_BZIP2), "packed in an unusual way"),
    "lzma": (packed(("r.jsonl", line(1)), how=zipfile.ZIP_LZMA), "packed in an unusual way"),
    "cut off": (GOOD[: len(GOOD) // 2], "that can be read"),
    "damaged": (GOOD[:40] + b"\xff\xff\xff\xff" + GOOD[44:], "that can be read"),
    "long contents": (packed(("r.jsonl", line(1)))[:-10] + struct.pack("<LLH", 30_000_000, 0, 0), "too long"),
    "nothing that fits": (packed(("notes.txt", b"x")), "no file"),
}  # fmt: skip


def overlapping() -> bytes:
    """Two entries of the table of contents for the same bytes."""
    content = packed(("r.jsonl", line(1)))
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[start:end].replace(b"r.jsonl", b"s.jsonl")
    tail = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 2, 2, 2 * (end - start), start, 0)
    return content[:end] + entry + tail


@pytest.mark.parametrize("kind", [*BAD, "overlapping"])
def test_an_archive_that_is_not_safe_is_refused_and_why(kind: str, run: Run, tmp_path: Path) -> None:
    content, words = BAD[kind] if kind in BAD else (overlapping(), "shares bytes")
    begun = time.monotonic()
    with pytest.raises(BadInput, match=words) as refusal:
        run("r.zip", content, format="jsonl", file="*.jsonl")
    assert "r.zip" in refusal.value.detail and time.monotonic() - begun < 5
    inside = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert not [path for path in inside if path.endswith("r.jsonl")] and not Path("/tmp/r.jsonl").exists()


def test_two_members_of_one_name_are_refused(run: Run) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = packed(("r.jsonl", line(1)), ("r.jsonl", line(2)))
    with pytest.raises(BadInput, match="two members named 'r.jsonl'"):
        run("r.zip", content, format="jsonl", file="*.jsonl")


def test_an_archive_that_is_safe_lands_and_a_bad_line_in_it_is_named(run: Run) -> None:
    content = packed(("a/r.jsonl", line(1) + b"bad\n"), ("b\\s\x1b.jsonl", line(2)), ("notes.txt", b"x"))
    landed = run("r.zip", content, format="jsonl", file="*.jsonl")
    assert landed.titles == ["Practice 1", "Practice 2"]
    assert landed.reasons.startswith("r.zip/a/r.jsonl, line 2: The line is not valid JSON")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    path = tmp_path / "r.zip"
    path.write_bytes(packed(*((f"{n}.jsonl", b"x") for n in range(4))))
    with pytest.raises(BadInput, match="has 4 members"):
        archive.unpacked(path, "r.zip", "*.jsonl", tmp_path / "out")


def test_any_damaged_byte_is_told_and_not_an_accident(tmp_path: Path) -> None:
    content, path = packed(("r.jsonl", line(1)), ("s.jsonl", line(2))), tmp_path / "r.zip"
    for at in range(len(content)):
        for value in (0x00, 0xFF):
            path.write_bytes(content[:at] + bytes([value]) + content[at + 1 :])
            try:
                archive.unpacked(path, "r.zip", "*.jsonl", tmp_path / "out")
            except BadInput as error:
                assert "r.zip" in error.detail
