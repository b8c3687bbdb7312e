"""What may be asked: length, nesting, branching and words of a query are looked at before anything parses it.

pyoxigraph's parser recurses: some 2,200 nested `{`, 5,000 `(` or a chain of 10,000 `||` end the process. And `SERVICE`
connects outward by itself. The limits below stand an order of magnitude under what was seen to crash.
"""

import re
from dataclasses import dataclass
from typing import Literal

from dhu_graph.errors import QueryRejected
from dhu_graph.settings import Settings
from dhu_graph.sparql.tokens import Token, place, token_at, unescape

Form = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]
FORMS: tuple[Form, ...] = ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE")

DEEPEST = 100
"""Brackets of any kind inside one another."""
LINKS = 1_500
"""Operators and joining words in one query: each may be a level of recursion."""

_UPDATES = {"INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "COPY", "MOVE", "ADD", "WITH"}
_OPENING = {"(", "{", "[", "<<", "<<(", "{|"}
_CLOSING = {")", "}", "]", ">>", ")>>", "|}"}
_LINKING = {"||", "&&", "/", "|", "^", "+", "-", "*", "!", "=", "!=", "<", ">", "<=", ">=", ";", "^^"}
_JOINING = {
    "UNION",
    "OPTIONAL",
    "MINUS",
    "FILTER",
    "BIND",
    "EXISTS",
    "GRAPH",
    "NOT",
    "IN",
    "VALUES",
    "SELECT",
}
_OPERANDS = {"variable", "number", "string", "language", "name", "iri", "blank"}
_SURE_IRI = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:[^()]*>")


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that may be parsed: its text, with escapes outside strings resolved, its form, and whether it has FROM."""

    text: str
    form: Form
    dataset: bool = False


def check(query: str, settings: Settings) -> Checked:
    """The query, if it may be parsed. Raises QueryRejected saying what, where, and what to do instead."""
    if not query.strip():
        raise QueryRejected(
            "The query is empty.", "Write SPARQL, such as SELECT * WHERE { ?s ?p ?o } LIMIT 10."
        )
    if len(query) > settings.sparql_length:
        raise QueryRejected(
            f"The query has {len(query):,} characters; {settings.sparql_length:,} are accepted.",
            "Ask in parts, or raise DHU_SPARQL_LENGTH on a radar of your own.",
        )
    if any(c == "\0" or 0xD800 <= ord(c) < 0xE000 for c in query):
        raise QueryRejected("The query holds a NUL or half a character.", "Send it as valid UTF-8.")
    text = unescape(query)
    form: Form | None = None
    depth, links, dataset = 0, 0, False
    for token in _tokens(text):
        word = token.text.upper() if token.kind == "word" else ""
        if token.kind in ("word", "name") and token.text.upper().startswith("SERVICE"):
            raise QueryRejected(
                f"SERVICE is not offered ({place(text, token.start)}).",
                "Remote federation is refused for now; ask the other endpoint yourself and join the answers. "
                "A prefix or name that begins with `service` needs another name.",
            )
        if form is None and word in _UPDATES:
            raise QueryRejected(
                f"{word} changes data, and this endpoint only reads.",
                "Send SELECT, ASK, CONSTRUCT or DESCRIBE.",
            )
        if form is None and word in FORMS:
            form = next(f for f in FORMS if f == word)
        dataset = dataset or word == "FROM"
        if token.kind == "mark":
            depth += (token.text in _OPENING) - (token.text in _CLOSING)
            links += token.text in _LINKING
        links += word in _JOINING
        if depth > DEEPEST:
            raise QueryRejected(
                f"Brackets are nested more than {DEEPEST} deep ({place(text, token.start)}).",
                "Write the query flatter.",
            )
        if links > LINKS:
            raise QueryRejected(
                f"The query has more than {LINKS:,} operators and joins ({place(text, token.start)}).",
                "Ask in parts, or use VALUES instead of long chains of || and UNION.",
            )
    if form is None:
        raise QueryRejected(
            "The query has no SELECT, ASK, CONSTRUCT or DESCRIBE.", "See the examples on the page /sparql."
        )
    return Checked(text, form, dataset)


def _tokens(text: str) -> "list[Token]":
    """The tokens that count. After an operand `<` is less-than, unless it opens what can only be an IRI."""
    found: list[Token] = []
    position, due = 0, False
    while position < len(text):
        token = token_at(text, position)
        if (
            token.kind in ("iri", "mark")
            and token.text[0] == "<"
            and due
            and not _SURE_IRI.fullmatch(token.text)
        ):
            token = token_at(text, position, operator_due=True)
        position += len(token.text)
        if token.kind in ("space", "comment"):
            continue
        found.append(token)
        due = token.kind in _OPERANDS or token.text in (")", "]") or token.text.lower() in ("true", "false")
    return found
