"""Suggestions while somebody types: titles of resources and labels of what one can filter by, in any language."""

import heapq
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from dhu_graph.search.lexicon import folded

LONGEST = 80
"""Characters of what was typed that are read."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that what was typed may become: a resource (`value` is its IRI), or a value of a filter column."""

    text: str
    column: str
    value: str
    count: int = 1
    """How many documents it leads to."""


class Suggester:
    """Finds texts by the beginnings of their words, case and accents aside; the most used first."""

    def __init__(self, suggestions: Iterable[Suggestion]) -> None:
        self._all = list(suggestions)
        starts = [
            (" ".join(tokens[at:])[:LONGEST], at, number)
            for number, one in enumerate(self._all)
            for tokens in [folded(one.text)]
            for at in range(len(tokens))
        ]
        starts.sort()
        self._keys = [key for key, _, _ in starts]
        self._found = [(at, number) for _, at, number in starts]

    def suggest(self, typed: str, limit: int = 8) -> list[Suggestion]:
        """At most `limit` texts in which a word begins as the last words typed do: first those that begin so, then by use."""
        begun = " ".join(folded(typed[:LONGEST]))
        if not begun:
            return []
        first = bisect_left(self._keys, begun)
        after = bisect_left(self._keys, begun + "\U0010ffff", first)
        best: dict[int, tuple[bool, bool, int, str]] = {}
        for at, number in self._found[first:after]:
            one = self._all[number]
            rank = (at > 0, one.column == "resource", -one.count, one.text)
            best[number] = min(rank, best.get(number, rank))
        chosen: dict[tuple[str, str], Suggestion] = {}
        for number in heapq.nsmallest(limit * 4, best, key=best.__getitem__):
            one = self._all[number]
            chosen.setdefault((one.column, one.value), one)  # of the labels of one value the best alone
        return list(chosen.values())[:limit]
