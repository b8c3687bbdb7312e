"""Where a passage meets a question: the words they share, by stem, and the words for its concepts."""

import re
from collections.abc import Collection

from dhu_graph.index import fold, stem
from dhu_graph.search.lexicon import Lexicon, folded
from dhu_graph.search.question import Question

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
"""Letters of a word that is worth marking; shorter ones are marked where they hold a capital or a digit."""


def spans(passage: str, question: Question, lexicon: Lexicon, language: str = "en") -> list[tuple[int, int]]:
    """(start, end) of the words of a passage that the question, its gloss or its concepts speak of, in order."""
    asked = {*folded(question.plain), *folded(question.gloss)}
    stems = {stem(language, word) for word in asked}
    tokens = [(fold(match.group()), match) for match in _WORD.finditer(passage)]
    found = lexicon.find([word for word, _ in tokens], language) if language == "en" else []
    spoken = {n for each in found if each.concept in question.concepts for n in range(each.first, each.after)}
    return [
        match.span()
        for number, (word, match) in enumerate(tokens)
        if number in spoken or (_tells(match.group()) and (word in asked or stem(language, word) in stems))
    ]


def _tells(word: str) -> bool:
    return len(word) > _SHORTEST or any(letter.isdigit() or letter.isupper() for letter in word)


def marked(passage: str, spans: Collection[tuple[int, int]]) -> list[tuple[str, bool]]:
    """(text, whether it is to be marked) of the pieces of a passage."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in spans:
        pieces += [(passage[at:start], False), (passage[start:end], True)]
        at = end
    pieces.append((passage[at:], False))
    return [piece for piece in pieces if piece[0]]
