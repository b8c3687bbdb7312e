"""Cuts a text into sentences and two-sentence windows; a hit's passage is one of these windows.

Rules, not models, because 24 languages must work alike: a sentence ends at `. ! ? …` (in Greek also at `;`, its question
mark) before a space and something that is not a small letter, and at a line break. Initials, short ordinals ("3. Oktober")
and common abbreviations do not end one. A cut too many or too few costs little: windows overlap.
"""

import re

LONGEST = 600
"""Characters of one sentence, so that two fit the 512 tokens of the model in any script."""

ABBREVIATIONS = frozenset(
    "abs al approx art bl bv bzw ca cf dipl dr e.g etc evtl fig gen ggf i.e inc ing int itd jr kap ltd max med mgr mil min mio "
    "mme mr mrd mrs ms mudr např no np nr nr op ph pp prof resp s.a sog st str sv tel tzv usw v.g vgl vol vs z.b δηλ κ.λπ π.χ"
    " т.е чл".split()
)

_END = re.compile(r"([.!?…\u037e]+|(?<=[\u0370-\u03ff\u1f00-\u1fff]);)[\"'»”“’)\]]*\s+")
_LAST_WORD = re.compile(r"\S+$")


def sentences(text: str) -> list[str]:
    """The sentences of a text in order, without surrounding space; none of a text without content."""
    found: list[str] = []
    for line in text.splitlines():
        start = 0
        for end in _END.finditer(line):
            if _ends_sentence(line, start, end):
                found += _cut(line[start : end.end()])
                start = end.end()
        found += _cut(line[start:])
    return found


def windows(text: str) -> list[str]:
    """Every two neighbouring sentences as one string; a single sentence is its own window. Never empty."""
    parts = sentences(text) or [text.strip()]
    return [f"{a} {b}" for a, b in zip(parts[:-1], parts[1:], strict=True)] or parts


def _ends_sentence(line: str, start: int, end: re.Match[str]) -> bool:
    if line[end.end() : end.end() + 1].islower():
        return False
    if end.group(1) != ".":
        return True
    word = _LAST_WORD.search(line, max(start, end.start() - 20), end.start())
    last = word.group().lstrip("(\"'«„“[").casefold() if word else ""
    return not (len(last) == 1 or (len(last) == 2 and last.isdigit()) or last in ABBREVIATIONS)


def _cut(sentence: str) -> list[str]:
    """The sentence, or pieces of it where it is too long (lists and tables without full stops)."""
    rest, pieces = sentence.strip(), []
    while len(rest) > LONGEST:
        at = rest.rfind(" ", LONGEST // 2, LONGEST)
        at = at if at > 0 else LONGEST
        pieces.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [piece for piece in (*pieces, rest) if piece]
