"""Releases: immutable, numbered, checked, and never in the way of the one that serves. On a small source of our own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dhu_graph import Engine, quads
from dhu_graph.engine import Built
from dhu_graph.errors import BadInput, Busy, ReleaseError, UnknownName
from dhu_graph.releases import Shelf
from small_sources import practice, write_lines


class Radar:
    """A radar of one small source: `ingest(1, 2, 3)` brings in practices with these numbers."""

    def __init__(self, folder: Path, source: Any) -> None:
        self.folder, self.source = folder, source
        self.data = folder / "data"
        self.engine = Engine.open(data=self.data, embed=False)
        self.shelf = self.engine.shelf

    def ingest(self, *numbers: int, **fields: Any) -> Built:
        path = write_lines(self.folder / "records.jsonl", *(practice(n, **fields) for n in numbers))
        return self.engine.ingest("small", str(path), folder=self.source.folder)

    def found(self) -> list[str]:
        return sorted(hit.document.title for hit in self.engine.search("practice", limit=50))


@pytest.fixture
def small(make_source, tmp_path: Path):  # type: ignore[no-untyped-def]
    radar = Radar(tmp_path, make_source())
    yield radar
    radar.engine.close()


# ------------------------------------------------------------------------------------------------ making


def test_a_change_makes_a_release_and_no_change_makes_none(small: Radar) -> None:
    first, second, third = small.ingest(1, 2), small.ingest(1, 2), small.ingest(1, 2, 3)
    assert first.release and first.release.number == 1
    assert second.release is None and second.reports[0].unchanged
    assert third.release and third.release.number == 2
    assert small.shelf.numbers() == [1, 2] and small.shelf.current() == 2


def test_a_file_that_differs_and_says_the_same_makes_no_release(small: Radar) -> None:
    small.ingest(1, 2)
    built = small.ingest(2, 1)
    assert not built.reports[0].unchanged and built.release is None


def test_the_manifest_says_what_is_in_the_release(small: Radar) -> None:
    release = small.ingest(1, 2).release
    assert release
    manifest = json.loads((release.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest == release.manifest
    assert manifest["sources"]["small"]["records"] == 2 and manifest["base"] == "https://w3id.org/dhu/"
    lines = list(quads.read(release.graph))
    assert manifest["quads"] == len(lines) and lines == sorted(set(lines))
    assert manifest["index"]["documents"] == 2 and manifest["index"]["model"] is None
    assert set(manifest["files"]) >= {"graph.nq.gz", "index/index.json", "store/CURRENT"}


def test_the_store_holds_the_graph_and_nothing_else(small: Radar) -> None:
    import pyoxigraph as ox

    release = small.ingest(1, 2).release
    assert release
    expected = ox.Store()
    expected.bulk_load(b"".join(quads.read(release.graph)), ox.RdfFormat.N_QUADS)
    assert set(ox.Store.read_only(str(release.store))) == set(expected)


def test_an_equal_world_gives_an_equal_graph_byte_by_byte_in_another_process(small: Radar) -> None:
    release = small.ingest(1, 2, 3).release
    assert release
    elsewhere = small.folder / "elsewhere"
    shutil.copytree(small.data / "sources", elsewhere / "sources")
    code = (
        "import sys; from dhu_graph import Engine; from dhu_graph.ingest import State; from dhu_graph.releases import build\n"
        "e = Engine.open(data=sys.argv[1], embed=False)\n"
        "with e.shelf.writing(): print(build(e.shelf, [State(e.settings.data / 'sources/small').report()], e.ontology, None).graph)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(elsewhere)], capture_output=True, text=True, check=True
    )
    assert Path(out.stdout.strip()).read_bytes() == release.graph.read_bytes()


def test_a_release_by_force_differs_in_nothing(small: Radar, radar: Engine) -> None:
    release = small.ingest(1, 2).release
    assert release
    from dhu_graph.ingest import State
    from dhu_graph.releases import build

    report = State(small.data / "sources" / "small").report()
    assert report
    with small.shelf.writing():
        again = build(small.shelf, [report], small.engine.ontology, None, force=True)
    assert again and again.number == 2 and list(small.shelf.diff(1, 2)) == []


# ------------------------------------------------------------------------------------------------ comparing


def test_the_difference_is_what_has_changed(small: Radar) -> None:
    small.ingest(1, 2, 3)
    small.ingest(1, 2, 4)
    lines = list(small.shelf.diff(1, 2))
    gone = {line for sign, line in lines if sign == "-"}
    new = {line for sign, line in lines if sign == "+"}
    assert any('"Practice 3"@en' in line for line in gone) and any('"Practice 4"@en' in line for line in new)
    assert not any("Practice 1" in line or "Practice 2" in line for line in gone | new)
    assert {(sign, line) for sign, line in small.shelf.diff(2, 1)} == {
        ("+" if s == "-" else "-", x) for s, x in lines
    }
    old, fresh = (
        {line.decode().rstrip("\n") for line in quads.read(small.shelf.get(n).graph)} for n in (1, 2)
    )
    assert (old - gone) | new == fresh


# ------------------------------------------------------------------------------------------------ going back, tidying up


def test_roll_back_serves_the_earlier_release_and_the_next_build_goes_on(small: Radar) -> None:
    small.ingest(1)
    small.ingest(1, 2)
    assert small.found() == ["Practice 1", "Practice 2"]
    assert small.shelf.rollback() == 1
    assert small.engine.refresh() and small.found() == ["Practice 1"]
    with pytest.raises(UnknownName, match="no release before"):
        small.shelf.rollback()
    assert small.shelf.rollback(2) == 2
    with pytest.raises(UnknownName, match=r"no release 7"):
        small.shelf.rollback(7)
    small.shelf.rollback(1)
    release = small.ingest(1, 2, 3).release
    assert release and release.number == 3 and small.shelf.current() == 3


def test_pruning_keeps_the_newest_and_the_current(small: Radar) -> None:
    for n in range(1, 6):
        small.ingest(*range(n))
    small.shelf.rollback(2)
    assert small.shelf.prune(2) == [1, 3]
    assert small.shelf.numbers() == [2, 4, 5] and small.shelf.current() == 2
    assert sorted(p.name for p in small.shelf.folder.iterdir()) == ["000002", "000004", "000005"]
    assert small.shelf.prune(10) == []
    for number in small.shelf.numbers():
        small.shelf.get(number).verify()


def test_what_a_killed_prune_left_is_no_release_and_goes_with_the_next_write(small: Radar) -> None:
    small.ingest(1)
    small.ingest(1, 2)
    (small.shelf.get(1).folder / "manifest.json").unlink()
    assert small.shelf.numbers() == [2]
    with small.shelf.writing():
        pass
    assert [p.name for p in small.shelf.folder.iterdir()] == ["000002"]


def test_what_a_killed_build_left_is_no_release_and_goes_with_the_next_write(small: Radar) -> None:
    small.ingest(1)
    left = small.shelf.folder / "000002.part"
    shutil.copytree(small.shelf.get(1).folder, left)
    (small.data / "scratch" / "sort-left").mkdir(parents=True)
    assert small.shelf.numbers() == [1]
    release = small.ingest(1, 2).release
    assert release and release.number == 2 and not left.exists()
    assert not list((small.data / "scratch").iterdir())


# ------------------------------------------------------------------------------------------------ damage


def test_a_flipped_byte_in_any_file_is_found_and_named(small: Radar) -> None:
    release = small.ingest(1, 2).release
    assert release
    names = [*release.manifest["files"], "manifest.json"]
    assert len(names) > 10
    for name in names:
        path = release.folder / name
        before = path.read_bytes()
        for position in {0, len(before) // 2, len(before) - 1} if before else ():
            spoilt = bytearray(before)
            spoilt[position] ^= 0x01
            path.write_bytes(spoilt)
            with pytest.raises(ReleaseError, match="manifest" if name == "manifest.json" else name):
                small.shelf.get(1).verify()
        path.write_bytes(before)
    small.shelf.get(1).verify()


def test_every_byte_of_the_manifest_counts(small: Radar) -> None:
    release = small.ingest(1).release
    assert release
    path = release.folder / "manifest.json"
    before = path.read_bytes()
    for position in range(0, len(before), 7):
        spoilt = bytearray(before)
        spoilt[position] ^= 0x01
        path.write_bytes(spoilt)
        try:
            assert json.loads(path.read_text()) == release.manifest  # a blank became another blank, at most
        except ValueError:
            pass
        except AssertionError:
            with pytest.raises(ReleaseError, match="damaged"):
                small.shelf.get(1)


def test_missing_and_foreign_files_are_named(small: Radar) -> None:
    release = small.ingest(1).release
    assert release
    (release.folder / "stray.txt").write_text("x")
    with pytest.raises(ReleaseError, match=r"stray\.txt") as error:
        release.verify()
    assert "rollback" in error.value.hint
    (release.folder / "stray.txt").unlink()
    release.graph.unlink()
    with pytest.raises(ReleaseError, match=r"graph\.nq\.gz"):
        release.verify()


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"format": 1}'])
def test_a_manifest_that_is_none_is_damaged(content: bytes, small: Radar) -> None:
    release = small.ingest(1).release
    assert release
    (release.folder / "manifest.json").write_bytes(content)
    with pytest.raises(ReleaseError, match="manifest of release 1 is damaged"):
        small.shelf.get()


def rewrite(folder: Path, **changes: Any) -> None:
    from dhu_graph.releases.shelf import checksum

    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text(encoding="utf-8")), **changes}
    path.write_text(json.dumps({**manifest, "checksum": checksum(manifest)}), encoding="utf-8")


def test_a_release_of_another_format_is_refused_and_building_again_helps(small: Radar) -> None:
    release = small.ingest(1).release
    assert release
    rewrite(release.folder, format=99)
    with pytest.raises(ReleaseError, match="has format 99") as error:
        small.engine.search("practice")
    assert "dhu build" in error.value.hint
    again = small.ingest(1).release
    assert again and again.number == 2 and small.found() == ["Practice 1"]


def test_a_damaged_newest_release_does_not_stand_in_the_way_of_the_next(small: Radar) -> None:
    release = small.ingest(1).release
    assert release
    (release.folder / "manifest.json").write_text("{")
    assert small.ingest(1, 2).release
    assert small.found() == ["Practice 1", "Practice 2"]


def test_a_release_of_another_base_is_refused(small: Radar) -> None:
    small.ingest(1)
    with (
        Engine.open(data=small.data, embed=False, base="https://other.example.org/") as other,
        pytest.raises(ReleaseError, match=r"was built for https://w3id\.org/dhu/") as error,
    ):
        other.search("practice")
    assert "DHU_BASE" in error.value.hint


def test_a_damaged_new_release_leaves_the_opened_one_serving(small: Radar) -> None:
    small.ingest(1)
    assert small.found() == ["Practice 1"]
    with Engine.open(data=small.data, embed=False) as other:
        path = write_lines(small.folder / "more.jsonl", practice(1), practice(2))
        release = other.ingest("small", str(path), folder=small.source.folder).release
        assert release
    content = bytearray((release.folder / "graph.nq.gz").read_bytes())
    content[100] ^= 1
    (release.folder / "graph.nq.gz").write_bytes(content)
    with pytest.raises(ReleaseError, match=r"Release 2 is damaged: graph\.nq\.gz"):
        small.engine.refresh()
    assert small.found() == ["Practice 1"]
    small.shelf.rollback()
    small.engine.refresh()
    assert small.found() == ["Practice 1"]


def test_a_damaged_graph_of_a_source_is_named_and_the_last_release_serves(small: Radar) -> None:
    small.ingest(1)
    graph = small.data / "sources" / "small" / "graph.nq.gz"
    whole = graph.read_bytes()
    for spoilt in (
        whole[: len(whole) // 2],
        b"no gzip at all",
        whole[:40] + bytes([whole[40] ^ 0xFF]) + whole[41:],
    ):
        graph.write_bytes(spoilt)
        from dhu_graph.ingest import State
        from dhu_graph.releases import build

        report = State(graph.parent).report()
        assert report
        with small.shelf.writing(), pytest.raises(BadInput, match=r"graph\.nq\.gz is damaged"):
            build(small.shelf, [report], small.engine.ontology, None, force=True)
        assert small.shelf.numbers() == [1] and small.found() == ["Practice 1"]
    graph.unlink()
    small.ingest(1)
    assert (small.data / "sources" / "small" / "graph.nq.gz").read_bytes() == whole


def test_reading_alters_no_file_of_a_release(small: Radar) -> None:
    small.ingest(1, 2)
    for _ in range(3):
        with Engine.open(data=small.data, embed=False) as reader:
            assert len(reader.search("practice")) == 2
            assert reader.query("ASK { ?s a dhu:GoodPractice }") is True
            assert reader.show("practice/small-1").title == "Practice 1"
    small.shelf.get().verify()


# ------------------------------------------------------------------------------------------------ pointer and lock


def test_nothing_built_is_said(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "data")
    assert shelf.current() is None and shelf.numbers() == []
    with pytest.raises(ReleaseError, match="Nothing has been built yet") as error:
        shelf.get()
    assert "dhu build" in error.value.hint and not (tmp_path / "data").exists()


def test_a_spoilt_pointer_is_said_and_rolling_back_to_a_number_mends_it(small: Radar) -> None:
    small.ingest(1)
    (small.data / "current").write_text("latest\n")
    with pytest.raises(ReleaseError, match="does not hold a number"):
        small.shelf.get()
    assert small.shelf.rollback(1) == 1 and small.found() == ["Practice 1"]


def test_two_cannot_write_at_once(small: Radar) -> None:
    small.ingest(1)
    with small.shelf.writing():
        with pytest.raises(Busy, match="Another process is writing"):
            small.ingest(1, 2)
        with pytest.raises(Busy):
            small.shelf.rollback(1)
        with pytest.raises(Busy):
            small.shelf.prune(1)
        assert small.found() == ["Practice 1"], "reading needs no lock"
    assert small.ingest(1, 2).release


def test_two_processes_cannot_write_at_once_and_a_dead_one_holds_nothing(small: Radar) -> None:
    code = (
        "import sys, time; from pathlib import Path; from dhu_graph.releases import Shelf\n"
        "with Shelf(Path(sys.argv[1])).writing(): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(small.data)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Busy):
            small.ingest(1)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert small.ingest(1).release


def test_a_build_that_fails_leaves_nothing_that_looks_whole(
    small: Radar, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.ingest(1)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("dhu_graph.index.build", full)
    with pytest.raises(OSError, match="No space left"):
        small.ingest(1, 2)
    monkeypatch.undo()
    assert small.shelf.numbers() == [1] and small.found() == ["Practice 1"]
    release = small.ingest(1, 2).release
    small.engine.refresh()
    assert release and release.number == 2 and small.found() == ["Practice 1", "Practice 2"]
