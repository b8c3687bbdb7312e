"""A smaller tokenizer that cuts the languages of Europe exactly as the whole one does.

A Unigram tokenizer of a hundred languages holds 250,000 pieces and takes 280 MB. A text written in Latin, Greek and
Cyrillic letters can only be cut into pieces of those characters, so the others may be left out: the cuts are the same,
piece by piece, for every text whose characters are all among `Pruned.characters`. Other texts need the whole one.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

KEPT = (
    (0x0000, 0x052F),  # Latin, phonetic letters, combining marks, Greek, Cyrillic
    (0x1C80, 0x1C8F),  # Cyrillic
    (0x1D00, 0x1FFF),  # phonetic letters, combining marks, Latin and Greek with accents
    (0x2000, 0x2BFF),  # punctuation, currencies, symbols
    (0x2C60, 0x2C7F),
    (0x2DE0, 0x2E7F),
    (0x3000, 0x303F),
    (0xA640, 0xA69F),
    (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
    (0xE000, 0xF8FF),  # private: bullets of PDFs
    (0xFB00, 0xFB06),  # ligatures
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xFEFF, 0xFF65),  # the mark of byte order, wide letters
    (0xFFFD, 0xFFFD),
    (0x1D400, 0x1D7FF),  # letters of formulas, which become plain ones
    (0x1F000, 0x1FAFF),  # emoji
)
"""Whole blocks, so that a letter and its accent compose to a character that is kept too."""

LEAST = 50_000
"""Vocabularies below this are small enough as they are."""


@dataclass(frozen=True)
class Pruned:
    """A tokenizer's JSON, the whole one's id of each of its ids, and the characters of texts that it may cut."""

    tokenizer: str
    ids: list[int]
    characters: list[list[int]]


def prune(whole: str) -> Pruned | None:
    """The smaller tokenizer of a `tokenizer.json`, or None where it would not be worth it, or not be exact."""
    content = json.loads(whole)
    model, processor = content["model"], content.get("post_processor") or {}
    if model.get("type") != "Unigram" or processor.get("type") != "TemplateProcessing":
        return None
    pieces = model["vocab"]
    worst = min(score for _, score in pieces)
    special = {token["id"] for token in content["added_tokens"]} | {model["unk_id"]}
    special |= {number for token in processor["special_tokens"].values() for number in token["ids"]}
    if len(pieces) < LEAST or max(special) >= len(pieces):
        return None
    # What an unknown character costs follows from the worst piece, so one of those stays.
    witness = next(number for number, (_, score) in enumerate(pieces) if score == worst)
    dropped = unsuited(KEPT)
    ids = [
        number
        for number, (piece, _) in enumerate(pieces)
        if number in special or number == witness or not dropped.search(piece)
    ]
    new = {old: place for place, old in enumerate(ids)}
    model["vocab"] = [pieces[number] for number in ids]
    model["unk_id"] = new[model["unk_id"]]
    for token in content["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in processor["special_tokens"].values():
        token["ids"] = [new[number] for number in token["ids"]]
    small = json.dumps(content, ensure_ascii=False)
    return Pruned(small, ids, _characters(small))


def unsuited(characters: Iterable[Sequence[int]]) -> re.Pattern[str]:
    """Finds the first character that lies in none of the ranges."""
    ranges = "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in characters)
    return re.compile(f"[^{ranges}]")


def _characters(tokenizer: str) -> list[list[int]]:
    """Ranges of characters that stay within KEPT when the tokenizer normalises them: ℵ becomes a Hebrew letter."""
    from tokenizers import Tokenizer

    normalizer = Tokenizer.from_str(tokenizer).normalizer
    dropped = unsuited(KEPT)
    found: list[list[int]] = []
    for first, last in KEPT:
        for code in range(first, last + 1):
            if normalizer is not None and dropped.search(normalizer.normalize_str(chr(code))):
                continue
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return found
