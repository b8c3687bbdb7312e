"""What linking found before: keys and countries of a mention, and scores of pairs, depend on these alone and are kept.

`links/memo.npz` holds arrays alone, sorted by digests, so that millions of pairs are looked up at once. It is forgotten
when the code or the model changes, and whatever is wrong with it costs time, never the job.
"""

import os
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.link.blocks import Keys, Pairs

Digests = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lists:
    """Many short lists in two arrays: list `n` is `flat[starts[n]:starts[n + 1]]`."""

    starts: NDArray[np.int64]
    flat: NDArray[Any]

    @classmethod
    def of(cls, lists: Sequence[NDArray[Any]], kind: str) -> "Lists":
        """The lists, one after another; `kind` is the type of what is in them."""
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        return cls(_starts(lengths), np.concatenate([np.empty(0, kind), *lists]).astype(kind))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How long each is."""
        return np.diff(self.starts)

    def take(self, places: NDArray[np.int64]) -> "Lists":
        """The lists at these places, in that order."""
        lengths = self.lengths[places]
        starts = _starts(lengths)
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        return Lists(starts, self.flat[np.repeat(self.starts[places], lengths) + within])

    def then(self, other: "Lists") -> "Lists":
        """These and, after them, those."""
        starts = np.concatenate([self.starts, self.starts[-1] + other.starts[1:]])
        return Lists(starts, np.concatenate([self.flat, other.flat]))

    def __getitem__(self, place: int) -> NDArray[Any]:
        return self.flat[self.starts[place] : self.starts[place + 1]]


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


_TABLES = {"mentions": "u8", "pairs": "u8", "scores": "i4"}
_LISTS = {"keys": "u8", "places": "S8", "reasons": "u1"}


class Memo:
    """By the digest of a mention its keys and countries; by the digests of two the score, in thousandths, and reasons."""

    def __init__(self, folder: Path, version: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._version = folder / "memo.npz", version
        self._old, self._lists = self._read()
        self._now: dict[str, NDArray[Any]] = {}
        self._fresh = False

    def mentions(
        self, digests: Digests, compute: Callable[[int], tuple[Keys, Iterable[str]]]
    ) -> tuple[Lists, Lists]:
        """(keys, countries) of all mentions; `compute` is asked for those not seen before."""
        place, known = _found(self._old["mentions"], digests)
        new = [compute(n) for n in np.flatnonzero(~known).tolist()]
        self._fresh |= bool(new)
        order = np.argsort(np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)]))
        keys = Lists.of([one for one, _ in new], _LISTS["keys"])
        places = Lists.of([np.array(sorted(codes), "S8") for _, codes in new], _LISTS["places"])
        keys = self._lists["keys"].take(place[known]).then(keys).take(order)
        places = self._lists["places"].take(place[known]).then(places).take(order)
        by_digest = np.argsort(digests, kind="stable")
        self._keep("mentions", digests[by_digest])
        self._keep("keys", keys.take(by_digest))
        self._keep("places", places.take(by_digest))
        return keys, places

    def scores(
        self,
        digests: Digests,
        pairs: Pairs,
        compute: Callable[[NDArray[np.int64]], Sequence[tuple[float, str]]],
        keep_from: float,
    ) -> tuple[NDArray[np.float64], Lists]:
        """(score, bytes of the reasons) of each pair; reasons are kept where the score reaches `keep_from`.

        `compute` gets the places of pairs not seen before and gives the score and the reasons of each.
        """
        names = _pair(digests[pairs[:, 0]], digests[pairs[:, 1]])
        place, known = _found(self._old["pairs"], names)
        missing = np.flatnonzero(~known)
        new = compute(missing)
        self._fresh |= bool(len(missing))
        scores = np.zeros(len(pairs), np.int32)
        scores[known] = self._old["scores"][place[known]]
        scores[missing] = [round(score * 1000) for score, _ in new]
        texts = [why.encode() if score >= keep_from else b"" for score, why in new]
        order = np.argsort(np.concatenate([np.flatnonzero(known), missing]))
        told = Lists.of([np.frombuffer(text, np.uint8) for text in texts], _LISTS["reasons"])
        told = self._lists["reasons"].take(place[known]).then(told).take(order)
        by_name = np.argsort(names, kind="stable")
        self._keep("pairs", names[by_name])
        self._keep("scores", scores[by_name])
        self._keep("reasons", told.take(by_name))
        return scores / 1000.0, told

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

    def _keep(self, name: str, values: "NDArray[Any] | Lists") -> None:
        if isinstance(values, Lists):
            self._now |= {name: values.flat, f"{name}_starts": values.starts}
        else:
            self._now[name] = values

    def _read(self) -> tuple[dict[str, NDArray[Any]], dict[str, Lists]]:
        try:
            with np.load(self._path, allow_pickle=False) as file:
                if file["version"].tobytes().decode() == self._version:
                    return (
                        {name: file[name] for name in _TABLES},
                        {name: Lists(file[f"{name}_starts"], file[name]) for name in _LISTS},
                    )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass
        return (
            {name: np.empty(0, kind) for name, kind in _TABLES.items()},
            {name: Lists.of([], kind) for name, kind in _LISTS.items()},
        )


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
