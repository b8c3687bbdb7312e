"""A question as it was read: what it says, what must or must not stand in an answer, what it names, and its gloss.

"second opinion" telemeditsiin Hispaanias -vähk
must             concepts      country    without
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dhu_graph.errors import UsageError
from dhu_graph.index import words
from dhu_graph.search.lexicon import GENERAL, Found, Lexicon, folded
from dhu_graph.search.naming import Named, Names

LONGEST_ENDING, SHORTEST_NAME = 3, 4
"""Letters of an ending that is taken off a name, and those that a name keeps."""
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{1,200})[\"“”„«»]")
_MINUS = re.compile(r"(?:^|(?<=\s))[-−–](?=[^\W\d_])(\S{2,60})")


@dataclass(frozen=True, slots=True)
class Question:
    """What `read` makes of a text."""

    plain: str
    """The text without operators, as it is embedded and looked up; what must stand in an answer is still in it."""
    must: tuple[str, ...] = ()
    """Phrases in quotes: an answer holds each of them."""
    without: tuple[str, ...] = ()
    """Words with a minus: an answer holds none of them."""
    named: tuple[Named, ...] = ()
    gloss: str = ""
    """English words for its concepts and places, where it is in another language and the lexicon knows enough of it."""
    concepts: frozenset[str] = frozenset()
    """What it speaks of, by the ids of the lexicon."""
    known: float = 0.0
    """Share of its letters that the lexicon or a name covers (0–1); words of up to three letters do not count."""

    @property
    def wordings(self) -> tuple[str, ...]:
        """What is embedded and looked up: the text, and its gloss where it has one."""
        return (self.plain, self.gloss) if self.gloss else (self.plain,)


class Reader:
    """Reads questions; `names` and `label` (of a column and a value, in English) are those of a release."""

    def __init__(
        self,
        lexicon: Lexicon | None = None,
        names: Names | None = None,
        label: Callable[[str, str], str] | None = None,
        in_documents: Callable[[str], bool] | None = None,
    ) -> None:
        self.lexicon, self._names = lexicon or Lexicon(), names
        self._label = label or (lambda column, value: value)
        self._in_documents = in_documents or (lambda word: False)

    def read(self, text: str, longest: int) -> Question:
        """The question of a text, cut to `longest` characters. Raises UsageError where nothing is left to ask."""
        shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * longest])
        shown = " ".join(shown.split())[:longest].strip()
        must = tuple(phrase.strip() for phrase in _QUOTED.findall(shown) if folded(phrase))
        without = tuple(word for word in _MINUS.findall(_QUOTED.sub(" ", shown)) if folded(word))
        plain = " ".join(_MINUS.sub(" ", re.sub(r"[\"“”„«»]", " ", shown)).split())
        if not plain:
            raise UsageError("The question is empty.", "Ask in plain words, in any EU language.")
        found = self.lexicon.understand(plain)
        named = tuple(self._names.find(plain, found)) if self._names else ()
        gloss, known = self._gloss(plain, found, named)
        return Question(plain, must, without, named, gloss, frozenset(f.concept for f in found), known)

    def _gloss(self, plain: str, found: list[Found], named: Iterable[Named]) -> tuple[str, float]:
        raw, tokens = words(plain, lower=False), folded(plain)
        places = [name for name in named if name.column in ("country", "region")]
        of_places = {word for name in places for word in name.words.split()}
        covered = {n for each in found for n in range(each.first, each.after)}
        told = {n for n, token in enumerate(tokens) if n in covered or token in of_places}
        letters = sum(len(token) for n, token in enumerate(tokens) if len(token) > 3 or n in told)
        known = sum(len(tokens[n]) for n in told) / max(letters, 1)
        if all(each.language == "en" for each in found):
            return "", known
        parts: list[str] = []
        for at, token in enumerate(tokens):
            here = [each.concept for each in found if each.first == at]
            # `hospital` says more than its everyday word does.
            here = [concept for concept in here if not concept.startswith(GENERAL)] or here
            parts += [self.lexicon.english.get(concept, "") for concept in here if token not in of_places]
            if at not in covered and (name := self._name(raw[at], token, at, token in of_places)):
                parts.append(name)
        parts += [f"in {self._label(name.column, name.value)}" for name in places]
        return " ".join(dict.fromkeys(part for part in parts if part)), known

    def _name(self, word: str, token: str, at: int, place: bool) -> str:
        """A word that the lexicon does not know as it is worth keeping: a name, an abbreviation, a number; else nothing."""
        if len(word) < 2:
            return ""
        if any(letter.isdigit() for letter in word) or word[1:] != word[1:].lower():
            return word
        # `Sitran`, `Odensei`: a name with an ending, where documents know it without.
        for ending in (
            range(min(LONGEST_ENDING, len(token) - SHORTEST_NAME) + 1) if word[:1].isupper() else ()
        ):
            if self._in_documents(token[: len(token) - ending]):
                return word[: len(word) - ending]
        # The first word has a capital in any case, and a place stands there by its English name.
        return word if word[:1].isupper() and at > 0 and not place else ""
