r"""A SPARQL text cut into tokens the way pyoxigraph reads it, for the guard to look at.

Two things of pyoxigraph 0.5.13 matter here. Keywords need no boundary: `SERVICEex:a` is SERVICE followed by `ex:a`,
and `trueSERVICE` is two words. And `<` is less-than where an operator is due, even if an IRI could be read there:
`?a<?b&&?c>?d`. So the caller says, token by token, whether an operator is due.
"""

import re
from dataclasses import dataclass

_PREFIX = r"(?:[^\W\d][\w.\-·]{0,200})?:"  # bounded, or `a-a-a-…` would be scanned to its end from every `a`
_LOCAL = r"(?:[\w:.\-·]|%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?\#@%])*(?:(?<=\\\.)|(?<!\.))"

_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#[^\r\n]*)
    | (?P<string>\"\"\"(?:"{{0,2}}(?:[^"\\]|\\.))*\"\"\" | '''(?:'{{0,2}}(?:[^'\\]|\\.))*'''
                 | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*')
    | (?P<unclosed>["'])
    | (?P<iri><[^<>"{{}}|^`\x00-\x20]*>)
    | (?P<variable>[?$]\w+)
    | (?P<blank>_:[\w.\-·]*[\w\-·])
    | (?P<name>{_PREFIX}{_LOCAL})
    | (?P<number>[0-9]*\.?[0-9]+(?:[eE][+\-]?[0-9]+)?)
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]*)*)
    | (?P<word>[^\W\d]\w*)
    | (?P<escape>\\u[0-9A-Fa-f]{{4}}|\\U[0-9A-Fa-f]{{8}})
    | (?P<mark><<\(|\)>>|<<|>>|\{{\||\|\}}|\|\||&&|\^\^|!=|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LESS = re.compile(r"<=?")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a query: its kind (a group of the pattern above), its text, and where it starts."""

    kind: str
    text: str
    start: int


def token_at(text: str, position: int, *, operator_due: bool = False) -> Token:
    """The token that starts at `position`; with `operator_due`, `<` opens no IRI and no quoted triple."""
    if operator_due and (less := _LESS.match(text, position)):
        return Token("mark", less.group(), position)
    match = _TOKEN.match(text, position)
    assert match is not None and match.lastgroup is not None  # the last alternative takes any character
    return Token(match.lastgroup, match.group(), position)


def unescape(text: str) -> str:
    r"""The text with each `\uXXXX` outside strings, IRIs and comments replaced by what it stands for.

    pyoxigraph reads these inside strings and IRIs only, the standard everywhere (SPARQL 1.1, 19.2). An escape that
    stands for no character is left for the caller to refuse.
    """
    if "\\u" not in text and "\\U" not in text:
        return text
    parts, position = [], 0
    while position < len(text):
        token = token_at(text, position)
        if token.kind == "unclosed":
            parts.append(text[position:])
            break
        position += len(token.text)
        parts.append(_character(token.text) if token.kind == "escape" else token.text)
    return "".join(parts)


def _character(escape: str) -> str:
    code = int(escape[2:], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else escape


def place(text: str, position: int) -> str:
    """`line 3, column 14` of a position, both counted from 1."""
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"
