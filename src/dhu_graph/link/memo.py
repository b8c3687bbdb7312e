"""What linking found before: the keys of a mention and the score of a pair depend on nothing else, so both are kept.

`links/memo.npz` holds arrays alone, sorted by digests, so that millions of pairs are looked up at once. It is forgotten
when the code or the model changes, and whatever is wrong with it costs time, never the job.
"""

import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.link.blocks import Keys, Pairs
from dhu_graph.link.pairs import Reasons

Digests = NDArray[np.uint64]
_EMPTY: dict[str, NDArray[Any]] = {
    "mentions": np.empty(0, np.uint64),
    "starts": np.zeros(1, np.int64),
    "keys": np.empty(0, np.uint64),
    "pairs": np.empty(0, np.uint64),
    "scores": np.empty(0, np.int32),
    "told": np.zeros(1, np.int64),
    "texts": np.empty(0, np.uint8),
}


class Memo:
    """Keys by digest of the mention; scores in thousandths and reasons by the digests of two."""

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._version = folder / "memo.npz", version
        self._old = self._read()
        self._now: dict[str, NDArray[Any]] = {}
        self._fresh = False

    def keys(self, digests: Digests, compute: Callable[[int], Keys]) -> tuple[NDArray[np.int64], Keys]:
        """(numbers of mentions, their keys) of all, side by side; `compute` is asked for those not seen before."""
        place, known = _found(self._old["mentions"], digests)
        starts, flat = self._old["starts"], self._old["keys"]
        first = np.where(known, starts[place], 0)
        counts = np.where(known, starts[np.minimum(place + 1, len(starts) - 1)] - first, 0)
        numbers = np.repeat(np.arange(len(digests)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        old = flat[np.repeat(first, counts) + within]
        new = {int(n): compute(int(n)) for n in np.flatnonzero(~known)}
        self._fresh |= bool(new)
        lengths = np.fromiter(map(len, new.values()), np.int64, len(new))
        numbers = np.concatenate([numbers, np.repeat(np.fromiter(new, np.int64, len(new)), lengths)])
        keys = np.concatenate([old, *new.values()])
        self._remember_keys(digests, numbers, keys)
        return numbers, keys

    def scores(
        self,
        digests: Digests,
        pairs: Pairs,
        compute: Callable[[NDArray[np.int64]], Sequence[tuple[float, Reasons]]],
        keep_from: float,
    ) -> tuple[NDArray[np.float64], dict[int, Reasons]]:
        """(score of each pair, the reasons of those that reach `keep_from` by place in `pairs`).

        `compute` gets the places of pairs not seen before and gives their scores and reasons.
        """
        names = _pair(digests[pairs[:, 0]], digests[pairs[:, 1]])
        place, known = _found(self._old["pairs"], names)
        scores = np.zeros(len(pairs), np.int32)
        scores[known] = self._old["scores"][place[known]]
        reasons: dict[int, str] = {}
        told, texts = self._old["told"], self._old["texts"].tobytes()
        bar = round(keep_from * 1000)
        for at in np.flatnonzero(known & (scores >= bar)).tolist():
            reasons[at] = texts[told[place[at]] : told[place[at] + 1]].decode()
        missing = np.flatnonzero(~known)
        self._fresh |= bool(len(missing))
        for at, (score, why) in zip(missing.tolist(), compute(missing), strict=True):
            scores[at] = round(score * 1000)
            if scores[at] >= bar:
                reasons[at] = json.dumps(why, ensure_ascii=False, separators=(",", ":"))
        self._remember_scores(names, scores, reasons)
        return scores / 1000.0, {at: _reasons(text) for at, text in reasons.items()}

    def write(self) -> None:
        """Keeps what this run used, where that differs from what was there."""
        before, now = len(self._old["pairs"]), len(self._now["pairs"])
        if not self._fresh and now > before * 0.7:
            return
        draft = self._path.with_suffix(".draft")
        with draft.open("wb") as file:
            version = np.frombuffer(self._version.encode(), np.uint8)
            np.savez(file, allow_pickle=False, version=version, **self._now)
        os.replace(draft, self._path)

    def _remember_keys(self, digests: Digests, numbers: NDArray[np.int64], keys: Keys) -> None:
        by_digest = np.argsort(digests, kind="stable")
        rank = np.empty(len(digests), np.int64)
        rank[by_digest] = np.arange(len(digests))
        order = np.argsort(rank[numbers], kind="stable")
        counts = np.bincount(rank[numbers], minlength=len(digests))
        self._now |= {
            "mentions": digests[by_digest],
            "starts": np.concatenate([[0], np.cumsum(counts)]),
            "keys": keys[order],
        }

    def _remember_scores(
        self, names: NDArray[np.uint64], scores: NDArray[np.int32], reasons: dict[int, str]
    ) -> None:
        order = np.argsort(names, kind="stable")
        texts = {at: text.encode() for at, text in reasons.items()}
        lengths = np.zeros(len(names), np.int64)
        if texts:
            lengths[list(texts)] = [len(text) for text in texts.values()]
        whole = b"".join(texts[at] for at in order.tolist() if at in texts)
        self._now |= {
            "pairs": names[order],
            "scores": scores[order],
            "told": np.concatenate([[0], np.cumsum(lengths[order])]),
            "texts": np.frombuffer(whole, np.uint8),
        }

    def _read(self) -> dict[str, NDArray[Any]]:
        try:
            with np.load(self._path, allow_pickle=False) as file:
                if file["version"].tobytes().decode() == self._version:
                    return {name: file[name] for name in _EMPTY}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass
        return dict(_EMPTY)


def _found(table: NDArray[Any], wanted: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(place of each in the sorted table, whether it is there at all)."""
    place = np.searchsorted(table, wanted)
    inside = np.minimum(place, max(len(table) - 1, 0))
    known = (table[inside] == wanted) if len(table) else np.zeros(len(wanted), bool)
    return inside, known


def _pair(left: Digests, right: Digests) -> NDArray[np.uint64]:
    """One number for two digests in their order (the finaliser of MurmurHash3, so that near numbers fall apart)."""
    mixed = left * np.uint64(0x9E3779B97F4A7C15) + (right ^ (right >> np.uint64(29)))
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    mixed = (mixed ^ (mixed >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return mixed ^ (mixed >> np.uint64(33))


def _reasons(text: str) -> Reasons:
    return tuple((what, weight) for what, weight in json.loads(text))
