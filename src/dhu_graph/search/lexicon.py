"""The lexicon: words of a question in any EU language → concepts → English words of the documents.

`index/words/LANGUAGE.tsv` gives each concept the forms under which a language speaks of it. A star stands for any ending
(`cukrovk*`), in front for any beginning (`*puudulikkus*`), so that inflected words and compounds are met.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from dhu_graph import assets
from dhu_graph.index import fold, words

FOLDER = "words"
GENERAL = "g-"
"""What the concepts of everyday words begin with."""
SHORTEST_STEM, SHORTEST_PART = 4, 6
"""Letters that a stem, and a part within a word, have at least."""
LONGEST_ENDING = 9
"""Letters that a star at the end stands for at most; what is longer is another word."""
NEAR = 0.85
"""Share of the letters that the best language knows, from which another could be the question's as well."""
FUZZY_FROM, FUZZY_TWO_FROM = 6, 10
"""Letters of a word in which one slip, and two, are forgiven."""
FUZZY_ENDING = 4
"""Letters that may follow a misspelt stem."""
_LONGEST_PHRASE = 4
_MOST_WORDS, _LONGEST_WORD = 64, 40
"""Words of a question that are looked up, and letters of one in which parts are looked for: real ones have fewer."""


@dataclass(frozen=True, slots=True)
class Found:
    """A concept that a text speaks of, with the numbers of its first word and the one after its last."""

    concept: str
    first: int
    after: int
    language: str


@dataclass
class Forms:
    """Forms, each with what it stands for, ready to be looked up."""

    whole: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    stems: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    parts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=lambda: defaultdict(list))
    longest_stem: int = 0
    longest_ending: int = LONGEST_ENDING

    def add(self, form: str, concept: str) -> None:
        """Takes a form in; one that is too short to tell anything is left out."""
        tokens = _patterns(form)
        if len(tokens) > 1:
            self.phrases[tokens[0].strip("*")[:SHORTEST_STEM]].append((tokens, concept))
        elif tokens:
            bare = tokens[0].strip("*")
            if tokens[0].startswith("*"):
                if len(bare) >= SHORTEST_PART:
                    self.parts[bare].add(concept)
            elif tokens[0].endswith("*"):
                if len(bare) < SHORTEST_STEM:
                    self.whole[bare].add(concept)
                else:
                    self.stems[bare].add(concept)
                    self.longest_stem = max(self.longest_stem, len(bare))
            else:
                self.whole[bare].add(concept)

    def of_word(self, word: str) -> set[str]:
        """Concepts of one folded word: of the word itself, else of its longest stem, and of parts within it."""
        found = set(self.whole.get(word, ()))
        if not found:
            for length in range(min(len(word), self.longest_stem), SHORTEST_STEM - 1, -1):
                # The shorter a stem, the shorter the endings that it can have and still be the same word.
                if len(word) - length > min(length, self.longest_ending):
                    break
                if stems := self.stems.get(word[:length]):
                    found |= stems
                    break
        if SHORTEST_PART < len(word) <= _LONGEST_WORD and self.parts:
            for first in range(len(word) - SHORTEST_PART + 1):
                for after in range(first + SHORTEST_PART, len(word) + 1):
                    found |= self.parts.get(word[first:after], set())
        return found

    def nearest(self, word: str) -> str | None:
        """The word of a form that a misspelt word was meant to be: letters left out, added, changed or swapped."""
        if len(word) < FUZZY_FROM:
            return None
        best: tuple[int, str] | None = None
        for form, stem in self._by_start.get(word[0], ()):
            # A stem is compared with as much of the word as it has letters, and little may follow it.
            start = word[: len(form)] if stem else word
            most = min(best[0] if best else 2, 2 if len(form) >= FUZZY_TWO_FROM else 1)
            if len(word) - len(start) > FUZZY_ENDING or abs(len(start) - len(form)) > most:
                continue
            slips = OSA.distance(start, form, score_cutoff=most)
            if slips <= most and (best is None or (slips, form) < best):
                best = slips, form
        return best[1] if best else None

    @cached_property
    def _by_start(self) -> Mapping[str, list[tuple[str, bool]]]:
        """First letter → (word, whether it may have any ending) of all forms, those of phrases too."""
        found: dict[str, set[tuple[str, bool]]] = defaultdict(set)
        patterns = {token for each in self.phrases.values() for tokens, _ in each for token in tokens}
        told = [(form, False) for form in self.whole] + [(form, True) for form in self.stems]
        told += [(token.strip("*"), token.endswith("*")) for token in patterns]
        for form, stem in told:
            if len(form) >= FUZZY_FROM - 1:
                found[form[0]].add((form, stem))
        return {letter: sorted(forms) for letter, forms in found.items()}

    def of_phrase(self, tokens: list[str], at: int) -> Iterator[tuple[str, int]]:
        """(concept, how many words) of the phrases that begin at a word."""
        for patterns, concept in self.phrases.get(tokens[at][:SHORTEST_STEM], ()):
            if len(patterns) <= len(tokens) - at and all(map(_meets, patterns, tokens[at:])):
                yield concept, len(patterns)


class Lexicon:
    """The forms of all languages, read from `index/words/`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or assets.folder("index") / FOLDER

    @cached_property
    def _forms(self) -> Mapping[str, Forms]:
        found: dict[str, Forms] = {}
        for path in sorted(self._folder.glob("*.tsv")):
            forms = found.setdefault(path.stem, Forms())
            for concept, cell in rows(path):
                for form in cell.split("|"):
                    forms.add(form, concept)
        return found

    @cached_property
    def english(self) -> Mapping[str, str]:
        """Concept → a word or two in English (third column of `en.tsv`), to be put into an English question."""
        with (self._folder / "en.tsv").open(encoding="utf-8", newline="") as lines:
            lines_of = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            return {row[0]: row[2] for row in lines_of if len(row) > 2}

    @property
    def languages(self) -> list[str]:
        """The languages it has words of."""
        return list(self._forms)

    def find(self, tokens: list[str], language: str) -> list[Found]:
        """The concepts of a language's words among folded tokens, in their order; phrases before the words in them."""
        forms = self._forms.get(language)
        if forms is None:
            return []
        found: list[Found] = []
        at = 0
        while at < len(tokens):
            phrases = sorted(forms.of_phrase(tokens, at), key=lambda pair: -pair[1])
            if phrases:
                length = phrases[0][1]
                found += [Found(c, at, at + length, language) for c, n in phrases if n == length]
                at += length
                continue
            found += [Found(c, at, at + 1, language) for c in sorted(forms.of_word(tokens[at]))]
            at += 1
        return found

    def understand(self, text: str) -> list[Found]:
        """The concepts of a question: of the language whose words cover most of it, and of English ones besides."""
        tokens = folded(text)[:_MOST_WORDS]
        each = {language: self.find(tokens, language) for language in self._forms}
        letters = {
            language: sum(len(tokens[n]) for n in _covered(found))
            for language, found in each.items()
            if found
        }
        most = max(letters.values(), default=0)
        near = [language for language, count in letters.items() if count >= NEAR * most]
        best = each[near[0] if len(near) == 1 else self._likeliest(text, near)] if near else []
        # What the language has no word for may be an English word or an abbreviation.
        best += [f for f in self.find(tokens, "en") if f.first not in _covered(best)]
        return sorted([*best, *self._misspelt(tokens, best)], key=lambda f: (f.first, f.concept))

    def _likeliest(self, text: str, languages: list[str]) -> str:
        """Of languages that know about as much of a text, the one that its letters look most like (py3langid)."""
        ranks = {language: chance for language, chance in self._identifier.rank(text)}
        return max(languages, key=lambda language: ranks.get(language, float("-inf")))

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=False)

    def _misspelt(self, tokens: list[str], found: list[Found]) -> list[Found]:
        """The concepts of words with slips in them, in the language of the others; of any where none is known."""
        known = _covered(found)
        unknown = [at for at, word in enumerate(tokens) if at not in known and len(word) >= FUZZY_FROM]
        best: list[Found] = []
        for language in {f.language for f in found} or self._forms:
            mended = dict.fromkeys(unknown)
            for at in unknown:
                mended[at] = self._forms[language].nearest(tokens[at]) if language in self._forms else None
            if any(mended.values()):
                written = [mended.get(at) or word for at, word in enumerate(tokens)]
                new = [
                    f
                    for f in self.find(written, language)
                    if any(mended.get(n) for n in range(f.first, f.after))
                ]
                if len(_covered(new)) > len(_covered(best)):
                    best = new
        return best


def _covered(found: list[Found]) -> set[int]:
    return {n for each in found for n in range(each.first, each.after)}


def folded(text: str) -> list[str]:
    """The words of a text without case and accents."""
    return [fold(word) for word in words(text)]


def _patterns(form: str) -> tuple[str, ...]:
    """`chronick* nemoc*` → its folded words with their stars."""
    marked = form.strip().replace("*", "\u2217")
    tokens = []
    for piece in marked.split():
        lead, tail = piece.startswith("\u2217"), piece.endswith("\u2217")
        inner = folded(piece.replace("\u2217", " "))
        for number, word in enumerate(inner):
            first, last = number == 0, number == len(inner) - 1
            tokens.append(("*" if lead and first else "") + word + ("*" if tail and last else ""))
    return tuple(tokens[:_LONGEST_PHRASE])


def _meets(pattern: str, word: str) -> bool:
    bare = pattern.strip("*")
    if pattern.startswith("*"):
        return bare in word
    return word.startswith(bare) if pattern.endswith("*") else word == bare


def rows(path: Path) -> Iterable[tuple[str, str]]:
    """(id, forms) of each line of a file of forms that has any."""
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if len(row) > 1 and row[1].strip():
                yield row[0], row[1].strip()
