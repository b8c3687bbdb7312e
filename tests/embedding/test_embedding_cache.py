"""Embeddings are computed once, whatever happens to the cache file."""

import hashlib
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dhu_graph.embedding import CachedEmbedder, Vectors


class Counting:
    """A tiny deterministic embedder that remembers what it was asked."""

    name, dimension = "counting", 8

    def __init__(self, fingerprint: str = "f1", kill_after: int | None = None) -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []
        self._kill_after = kill_after

    def passages(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        if self._kill_after is not None and len(self.asked) > self._kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        seeds = [
            int.from_bytes(hashlib.sha256(t.encode("utf-8", "replace")).digest()[:8], "big") for t in texts
        ]
        found = np.stack([np.random.default_rng(seed).normal(size=8) for seed in seeds])
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    queries = passages


TEXTS = [f"text number {i}" for i in range(300)]


def _fill(folder: str, texts: list[str], kill_after: int | None = None) -> None:
    CachedEmbedder(Counting(kill_after=kill_after), Path(folder)).passages(texts)


def test_unchanged_text_is_not_embedded_again(tmp_path: Path) -> None:
    first = CachedEmbedder(Counting(), tmp_path).passages(TEXTS)
    model = Counting()
    second = CachedEmbedder(model, tmp_path).passages([*TEXTS[:200], "new", *TEXTS[200:]])
    assert model.asked == ["new"]
    np.testing.assert_array_equal(np.delete(second, 200, axis=0), first)


def test_a_text_given_twice_is_embedded_once_and_order_is_kept(tmp_path: Path) -> None:
    model = Counting()
    found = CachedEmbedder(model, tmp_path).passages(["bb", "a", "bb", "\ud800"])
    assert sorted(model.asked) == ["a", "bb", "\ud800"]
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found, Counting().passages(["bb", "a", "bb", "\ud800"]))


def test_another_fingerprint_shares_nothing(tmp_path: Path) -> None:
    CachedEmbedder(Counting("f1"), tmp_path).passages(["a"])
    model = Counting("f2")
    CachedEmbedder(model, tmp_path).passages(["a"])
    assert model.asked == ["a"]


def test_questions_and_texts_leave_no_words_on_disk(tmp_path: Path) -> None:
    embedder = CachedEmbedder(Counting(), tmp_path)
    embedder.queries(["a very private question"])
    assert not embedder.path.exists()
    embedder.passages(["a telling text"])
    assert b"telling" not in embedder.path.read_bytes()


@pytest.mark.parametrize("damage", ["garbage", "middle"])
def test_a_corrupt_file_is_set_aside_and_the_job_goes_on(tmp_path: Path, damage: str) -> None:
    embedder = CachedEmbedder(Counting(), tmp_path)
    embedder.passages(TEXTS)
    size = embedder.path.stat().st_size
    with embedder.path.open("r+b") as file:
        if damage == "garbage":
            file.write(b"this is no database" * 10)
        else:
            file.seek(4096)
            file.write(b"\xff" * (size - 4096))
    np.testing.assert_array_equal(embedder.passages(TEXTS), Counting().passages(TEXTS))
    assert list(embedder.path.parent.glob("*.corrupt-*"))
    model = Counting()
    CachedEmbedder(model, tmp_path).passages(TEXTS)
    assert model.asked == [], "the fresh file serves again"


def test_a_stored_vector_of_wrong_length_or_size_is_a_miss(tmp_path: Path) -> None:
    embedder = CachedEmbedder(Counting(), tmp_path)
    expected = embedder.passages(["a", "b", "c"])
    with sqlite3.connect(embedder.path) as connection:
        keys = [key for (key,) in connection.execute("SELECT key FROM v ORDER BY rowid")]
        connection.execute("UPDATE v SET vector = ? WHERE key = ?", (b"\0" * 32, keys[0]))
        connection.execute("UPDATE v SET vector = ? WHERE key = ?", (b"short", keys[1]))
    connection.close()
    np.testing.assert_array_equal(embedder.passages(["a", "b", "c"]), expected)


def test_without_a_usable_folder_it_embeds_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    found = CachedEmbedder(Counting(), tmp_path / "file").passages(["a"])
    np.testing.assert_array_equal(found, Counting().passages(["a"]))


def test_processes_and_threads_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    parts = [TEXTS[:200], TEXTS[100:], TEXTS[::2]]
    processes = [context.Process(target=_fill, args=(str(tmp_path), part)) for part in parts]
    for process in processes:
        process.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: CachedEmbedder(Counting(), tmp_path).passages(TEXTS[50:150]), range(4)))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    model = Counting()
    CachedEmbedder(model, tmp_path).passages(TEXTS)
    assert model.asked == []
    assert not list((tmp_path / "embeddings").glob("*.corrupt-*"))


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_build_keeps_what_it_had_embedded(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_fill, args=(str(tmp_path), TEXTS, 200))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    model = Counting()
    found = CachedEmbedder(model, tmp_path).passages(TEXTS)
    assert len(model.asked) == 300 - 192, "three batches of 64 were kept"
    np.testing.assert_array_equal(found, Counting().passages(TEXTS))
