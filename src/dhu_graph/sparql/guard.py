"""Whether a SPARQL text may be given to a worker, and what kind of answer it will have.

pyoxigraph cannot be asked to parse only, dies of deep queries, and follows SERVICE to any address. So the text is read
here first. What is handed on is what was looked at: comments are blanked and escapes resolved, so that no second
reading of them can uncover a keyword.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from dhu_graph.errors import QueryRejected
from dhu_graph.settings import Settings
from dhu_graph.sparql.shape import MAX_DESCRIBED, OPERANDS, Shape, bare
from dhu_graph.sparql.tokens import Token, place, token_at, unescape

Form = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]
_FORMS: tuple[Form, ...] = get_args(Form)
_UPDATES = ("INSERT", "DELETE", "LOAD", "CLEAR", "DROP", "CREATE", "ADD", "MOVE", "COPY", "WITH")
_GLUED = (
    "FROM",
    "FILTER",
    "GRAPH",
    "SERVICE",
    "NAMED",
    "DESCRIBE",
    "TRUE",
    "FALSE",
    "BY",
    "IN",
    "AS",
    "SILENT",
)
"""Keywords that pyoxigraph reads off the front of a prefixed name: `FROMex:g`."""

_HIERARCHICAL = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*://")
_POSITION = re.compile(r"^error at (\d+):(\d+): (.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Checked:
    """A query that was found fit to run.

    `text` is what a worker gets, `form` decides what its answer can be written in, `dataset` tells whether the query
    names its own graphs (FROM), so that the default graph is not the union of all.
    """

    form: Form
    text: str
    dataset: bool


def check(query: str, settings: Settings, prefixes: Collection[str] | None = None) -> Checked:
    """What is known of a query before it runs; raises QueryRejected, with line and column, when it must not run.

    `prefixes` are those known without a PREFIX line; None leaves undeclared ones for the engine to find.
    """
    if len(query) > settings.sparql_length:
        raise QueryRejected(
            f"The query has {len(query):,} characters; {settings.sparql_length:,} are allowed.",
            "Split it, or raise `sparql_length` in the settings.",
        )
    if "\0" in query or any("\ud800" <= sign <= "\udfff" for sign in query):
        raise QueryRejected("The query contains a NUL or half a surrogate pair.", "Send it as UTF-8 text.")
    return _Reader(unescape(query.removeprefix("\ufeff")), prefixes).read()


def syntax_error(message: str, text: str) -> QueryRejected:
    """pyoxigraph's complaint about a text, with the line it is about."""
    match = _POSITION.match(message)
    if match is None:
        return QueryRejected(f"The query is not valid SPARQL: {message}.", "Mend it and send it again.")
    line, column, expected = int(match[1]), int(match[2]), match[3]
    lines = text.split("\n")
    shown = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    near = f", in `{shown if len(shown) <= 120 else shown[:117] + '…'}`" if shown else ""
    if len(expected) > 200:  # the parser lists all it would have taken
        expected = expected[:197] + "…"
    return QueryRejected(
        f"The query is not valid SPARQL at line {line}, column {column}{near}: {expected}.",
        "The mistake is often just before that place.",
    )


class _Reader:
    """One pass over the tokens: prologue and form first, then forbidden words; Shape counts along."""

    def __init__(self, text: str, prefixes: Collection[str] | None) -> None:
        self.text = text
        self.shape = Shape(text)
        self.declared = None if prefixes is None else set(prefixes)
        self.form: Form | None = None
        self.dataset = False
        self.before_where = True
        self.described = 0
        self.last: list[Token] = [Token("space", "", 0)] * 3

    def read(self) -> Checked:
        """The query's form and the text to run."""
        parts, position = [], 0
        while position < len(self.text):
            token = token_at(self.text, position, operator_due=self.shape.operator_due)
            position += len(token.text)
            parts.append(" " * len(token.text) if token.kind == "comment" else token.text)
            if token.kind not in ("space", "comment"):
                self._refuse(token)
                if self.form is None:
                    self._prologue(token)
                else:
                    self._body(token)
                self.shape.take(token)
                self.last = [*self.last[1:], token]
        if self.form is None:
            raise QueryRejected("There is no query.", "Start with SELECT, ASK, CONSTRUCT or DESCRIBE.")
        self.shape.finish()
        return Checked(self.form, "".join(parts), self.dataset)

    def _refuse(self, token: Token) -> None:
        """What may stand nowhere in a query."""
        where = place(self.text, token.start)
        if token.kind == "unclosed":
            raise QueryRejected(f"The string at {where} is never closed.", "Add the missing quote.")
        if token.kind == "escape":
            raise QueryRejected(
                f"`{token.text}` at {where} stands for no character.", "Write the character itself."
            )
        if token.kind == "iri" and ("'" in token.text or "(" in token.text):
            # `?a<ex:f('>')` can be read as an IRI and the start of a string; with `//` it can only be an IRI.
            if not _HIERARCHICAL.match(token.text) or token.text.count("(") > 8:
                raise QueryRejected(
                    f"The IRI at {where} has odd signs.", "Write ' as %27, ( as %28 and ) as %29."
                )
        previous = self.last[-1]
        name = token.text.upper().partition(":")[0] if token.kind in ("name", "word") else ""
        service = token.kind == "word" and "SERVICE" in name
        if (
            token.text == "{"
            and previous.kind == "name"
            and "SERVICE" in previous.text.upper().partition(":")[0]
        ):
            before = self.last[-2]  # `GRAPH service:a {` is fine, `SERVICEex:a {` is not
            service = not (before.kind == "word" and bare(before.text) == "GRAPH")
        if service:
            raise QueryRejected(
                f"SERVICE is not offered ({where}).",
                "Remote federation is not there yet: ask the other endpoint yourself, and pass what it says in VALUES.",
            )

    def _prologue(self, token: Token) -> None:
        """BASE, PREFIX and VERSION lines, until the word that says what is asked."""
        word = token.text.upper()
        last = self.last[-1].text.upper()
        if token.kind == "iri" and (last == "BASE" or self.last[-1].kind == "name"):
            return
        if token.kind == "string" and last == "VERSION":
            return
        if token.kind == "name" and (last == "PREFIX" or word.startswith("PREFIX")):
            if self.declared is not None:
                name = token.text if last == "PREFIX" else token.text[len("PREFIX") :]
                self.declared.add(name.partition(":")[0])
            return
        if token.kind in ("word", "name"):
            if word in ("BASE", "PREFIX", "VERSION"):
                return
            if word in _UPDATES:
                raise QueryRejected(
                    f"{word} changes data; this endpoint only reads.",
                    "Use SELECT, ASK, CONSTRUCT or DESCRIBE.",
                )
            self.form = next((form for form in _FORMS if word.startswith(form)), None)
        if self.form is None:
            raise QueryRejected(
                f"`{token.text[:40]}` at {place(self.text, token.start)} starts no query.",
                "Start with SELECT, ASK, CONSTRUCT or DESCRIBE, after any PREFIX lines.",
            )
        self.dataset = token.kind == "word" and word.endswith("FROM")
        if token.kind == "name":
            self._body(Token("name", token.text[len(self.form) :], token.start))

    def _body(self, token: Token) -> None:
        """FROM, undeclared prefixes, and the number of things described."""
        if token.text == "{" and bare(self.last[-1].text) != "CONSTRUCT":
            self.before_where = False
        head = self.before_where and self.shape.outside
        if head and self.form == "DESCRIBE" and token.kind in OPERANDS:
            self.described += 1
            if self.described > MAX_DESCRIBED:
                raise QueryRejected(
                    f"More than {MAX_DESCRIBED} resources are described at once.",
                    "Describe them in several queries.",
                )
        if head and token.kind == "word" and bare(token.text).startswith("FROM"):
            self.dataset = True
        if token.kind == "name":
            prefix = token.text.partition(":")[0]
            known = self.declared is not None and prefix in self.declared
            if head and not known and prefix.upper().startswith("FROM"):
                # `FROMex:g`; but `DESCRIBE from:a`, with that prefix declared, names a resource.
                self.dataset = True
            elif self.declared is not None and not known and not prefix.upper().startswith(_GLUED):
                raise QueryRejected(
                    f"The prefix `{prefix}:` at {place(self.text, token.start)} is not declared.",
                    f"Add `PREFIX {prefix}: <…>` at the start.",
                )
