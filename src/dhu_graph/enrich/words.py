"""Words of a text, folded, with their places in it; and phrases found among them, the longest first."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORD = re.compile(r"[^\W_]+")
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss", "þ": "th"}
)


def fold(text: str) -> str:
    """Lower case without accents and strokes: `Łódź` → `lodz`."""
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_STROKES))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def words(text: str) -> list[tuple[str, int, int]]:
    """(folded word, start, end) of each word; a plural `s` is taken off longer words, on both sides of a comparison."""
    return [(_bare(fold(m.group())), m.start(), m.end()) for m in _WORD.finditer(text)]


def _bare(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


@dataclass
class Phrases:
    """Phrases by their folded words, each with what it stands for. A short one in capitals asks for capitals."""

    _table: dict[tuple[str, ...], dict[str, set[str]]] = field(default_factory=dict)
    _longest: int = 0

    def add(self, phrase: str, meaning: str) -> None:
        """Takes a phrase in."""
        key = tuple(word for word, _, _ in words(phrase))
        if key:
            capitals = phrase if phrase.isupper() and len(phrase) <= 5 else ""
            self._table.setdefault(key, {}).setdefault(capitals, set()).add(meaning)
            self._longest = max(self._longest, len(key))

    def find(self, text: str) -> Iterator[tuple[set[str], str]]:
        """(what it stands for, the words of the text) of each phrase found, from left to right, without overlaps."""
        found = words(text)
        place = 0
        while place < len(found):
            for length in range(min(self._longest, len(found) - place), 0, -1):
                span = found[place : place + length]
                forms = self._table.get(tuple(word for word, _, _ in span))
                matched = text[span[0][1] : span[-1][2]]
                meanings = {
                    m
                    for capitals, all_of in (forms or {}).items()
                    for m in all_of
                    if not capitals or capitals == matched
                }
                if meanings:
                    yield meanings, matched
                    place += length
                    break
            else:
                place += 1
