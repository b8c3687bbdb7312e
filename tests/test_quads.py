"""Sorted N-Quads files: bounded memory, whole or not at all, equal bytes for equal content."""

import gzip
import hashlib
import random
from pathlib import Path

import pytest

from dhu_graph import quads
from dhu_graph.errors import BadInput


def lines(*words: str) -> list[bytes]:
    return [word.encode() + b"\n" for word in words]


def test_lines_come_back_sorted_and_once_however_often_they_are_spilled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quads, "RUN_BYTES", 2_000)
    shuffled = lines(*(str(n) for n in range(3_000))) * 2
    random.Random(1).shuffle(shuffled)
    with quads.Sorter(tmp_path / "scratch") as sorter:
        for start in range(0, len(shuffled), 50):
            sorter.add(shuffled[start : start + 50])
        assert len(list((tmp_path / "scratch").rglob("*"))) > 5, "it was spilled"
        assert list(sorter.sorted()) == sorted(set(shuffled))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_order_is_that_of_bytes(tmp_path: Path) -> None:
    with quads.Sorter(tmp_path) as sorter:
        sorter.add(lines("é", "z", "Z", "😀", "\u2028"))
        assert list(sorter.sorted()) == lines("Z", "z", "é", "\u2028", "😀")


def test_equal_content_gives_equal_bytes_and_the_digest_of_the_lines(tmp_path: Path) -> None:
    content = lines(*sorted(str(n) * 9 for n in range(200_000)))
    first = quads.write(tmp_path / "a" / "first.gz", content)
    second = quads.write(tmp_path / "second.gz", iter(content))
    assert first == second == (len(content), hashlib.sha256(b"".join(content)).hexdigest())
    assert (tmp_path / "a" / "first.gz").read_bytes() == (tmp_path / "second.gz").read_bytes()
    assert list(quads.read(tmp_path / "second.gz")) == content
    assert not list(tmp_path.rglob("*.part"))


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "g.gz"
    quads.write(path, lines("old"))

    def failing() -> object:
        yield b"new\n"
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        quads.write(path, failing())  # type: ignore[arg-type]
    assert list(quads.read(path)) == lines("old")


def test_an_empty_file_and_lines_longer_than_a_block_are_read(tmp_path: Path) -> None:
    assert quads.write(tmp_path / "e.gz", [])[0] == 0 and list(quads.read(tmp_path / "e.gz")) == []
    content = [b"x" * 9_000_000 + b"\n", b"y\n"]
    quads.write(tmp_path / "l.gz", content)
    assert list(quads.read(tmp_path / "l.gz")) == content


def test_unusual_separators_inside_a_line_do_not_break_it(tmp_path: Path) -> None:
    content = lines("a\u2028b\u0085c\x0bd\x0ce\x1cf")
    quads.write(tmp_path / "u.gz", content)
    assert list(quads.read(tmp_path / "u.gz")) == content


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-5], lambda b: b"xx" + b[2:], lambda b: b[:20] + b"\xff\xff\xff" + b[23:]]
)
def test_a_damaged_file_is_bad_input_with_its_name(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "d.gz"
    quads.write(path, lines(*(str(n) for n in range(1_000))))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadInput, match=r"d\.gz is damaged"):
        list(quads.read(path))


@pytest.mark.parametrize("seed", range(20))
def test_differences_are_those_of_sets(seed: int) -> None:
    chance = random.Random(seed)
    old, new = ({str(chance.randrange(40)) for _ in range(chance.randrange(30))} for _ in range(2))
    found = list(quads.differences(sorted(lines(*old)), sorted(lines(*new))))
    assert {line for sign, line in found if sign == "-"} == set(lines(*(old - new)))
    assert {line for sign, line in found if sign == "+"} == set(lines(*(new - old)))
    assert [line for _, line in found] == sorted(line for _, line in found)


def test_what_is_read_is_plain_gzip(tmp_path: Path) -> None:
    (tmp_path / "p.gz").write_bytes(gzip.compress(b"a\nb\n"))
    assert list(quads.read(tmp_path / "p.gz")) == lines("a", "b")
