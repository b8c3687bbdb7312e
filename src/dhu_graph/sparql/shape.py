"""How deep and how branched a query is, judged before pyoxigraph parses it.

pyoxigraph parses and plans by recursion, so depth and length of chains end in SIGSEGV, and the planner takes time
with the fourth power of the patterns that are joined together. The limits stand far above what people write and far
below what was seen to break a worker with its 64 MB of stack (`docs/decisions/0301-query-workers.md`).
"""

from dataclasses import dataclass

from dhu_graph.errors import QueryRejected
from dhu_graph.sparql.tokens import Token, place

MAX_DEPTH = 64
"""Brackets within one another, of all kinds together. `str(str(…` breaks above 4,000."""
MAX_JOINED = 100
"""Triple patterns joined in one group, its nested groups included: 0.8 s to plan; 300 take 40 s."""
MAX_PATTERNS = 400
"""Triple patterns in all branches of a UNION together."""
MAX_OPERATORS = 1_000
"""Operators of expressions and property paths: 0.1 s; 7,000 take 3.3 s, 23,000 hang."""
MAX_CLAUSES = 500
"""UNION, OPTIONAL, MINUS, FILTER, BIND, GRAPH, VALUES, EXISTS and SELECT together; they break above 2,500."""
MAX_COLUMNS = 1_000
"""AS and aggregates together: 0.1 s; 10,000 take 20 s."""
MAX_TERMS = 20_000
"""Variables, IRIs and literals, VALUES rows and IN lists included; 23,000 values take 0.04 s."""
MAX_FORKS = 8
"""Brackets within one another after `!`, or of functions with an optional argument: when something inside is wrong, the
parser reads the inside of each twice, so 18 take 2.5 s and 30 hours."""
MAX_DESCRIBED = 200
"""Resources that one DESCRIBE names: 1,000 take 0.2 s, 14,000 hang."""

OPERANDS = frozenset(("variable", "iri", "blank", "name", "number", "string", "language"))
_OPERATORS = frozenset(("||", "&&", "=", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "!", "^", "|", "?"))
_COLUMNS = frozenset(("AS", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "GROUP_CONCAT"))
_FORKING = ("REGEX", "REPLACE", "SUBSTR", "GROUP_CONCAT")
_CLAUSES = (
    "UNION",
    "OPTIONAL",
    "MINUS",
    "FILTER",
    "BIND",
    "GRAPH",
    "VALUES",
    "EXISTS",
    "SELECT",
    "LATERAL",
    "NOT",
)
_PAIRS = {")": "(", "}": "{", "]": "[", ">>": "<<", ")>>": "<<(", "|}": "{|"}
_OPENERS = frozenset(_PAIRS.values())
_PATTERN_KINDS = frozenset(("group", "node", "list"))
_WEIGHT = {"{": 1, "[": 1, "(": 2, "<<": 2, "{|": 2, "<<(": 0}
"""Triple patterns that an opening bracket stands for: a list cell is two, an annotation reifies first."""


def bare(word: str) -> str:
    """The word in capitals, without a `true` or `false` that is glued before it."""
    upper = word.upper()
    for literal in ("TRUE", "FALSE"):
        if upper.startswith(literal) and len(upper) > len(literal):
            return upper[len(literal) :]
    return upper


@dataclass(slots=True)
class Frame:
    """One open bracket: what it is, where it stands, and the triple patterns joined in it so far.

    Kinds: `clause` (SELECT, ORDER BY …), `group`, `template` of CONSTRUCT, `data` of VALUES, `expression`, `list`
    (or a path in parentheses), `node` (`[`, `<<`, `{|`).
    """

    opener: str
    kind: str
    start: int
    patterns: int = 0
    forks: int = 0
    after_union: bool = False
    branch: int = 0


class Shape:
    """Takes the tokens of one query in turn and raises QueryRejected as soon as a limit is passed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._frames = [Frame("", "clause", 0)]
        self._counts: dict[str, int] = {}
        self._previous = Token("space", "", 0)
        self._data_next = False
        self._filter_next = False
        self._negated = False

    @property
    def outside(self) -> bool:
        """Whether no bracket is open."""
        return len(self._frames) == 1

    @property
    def operator_due(self) -> bool:
        """Whether an expression has just had an operand, so that `<` can only be less-than."""
        return self._frames[-1].kind == "expression" and self._after_operand()

    def take(self, token: Token) -> None:
        """Counts one token; spaces and comments are not passed."""
        frame = self._frames[-1]
        if token.kind == "mark":
            self._mark(token, frame)
        elif token.kind == "word":
            self._word(token, frame)
        elif token.kind in OPERANDS:
            self._count("terms", MAX_TERMS, "terms (variables, IRIs and values)", token)
            if frame.kind == "list" and self._after_operand():
                self._join(frame, 2, token)
            # `FILTER ex:f(…)` and, glued, `FILTERex:f(…)`: what follows in parentheses is an expression.
            if token.kind == "name" and bare(token.text).startswith("FILTER"):
                self._filter_next = True
        if token.kind not in ("name", "iri", "word"):
            self._filter_next = False
            self._negated = token.text == "!"
        self._previous = token

    def finish(self) -> None:
        """Says which bracket was never closed, if any."""
        if not self.outside:
            frame = self._frames[-1]
            raise QueryRejected(
                f"`{frame.opener}` at {place(self._text, frame.start)} is never closed.",
                "Add the missing bracket.",
            )

    def _after_operand(self) -> bool:
        token = self._previous
        if token.kind == "word":
            return token.text.upper() in ("TRUE", "FALSE")
        return token.kind in OPERANDS or token.text in (")", "]", "}", ")>>")

    def _word(self, token: Token, frame: Frame) -> None:
        word = bare(token.text)
        if word.startswith(_CLAUSES):
            self._count("clauses", MAX_CLAUSES, "clauses (UNION, OPTIONAL, FILTER …)", token)
        elif word == "IN":
            self._count("operators", MAX_OPERATORS, "operators", token)
        elif word in _COLUMNS:
            self._count("columns", MAX_COLUMNS, "computed columns and aggregates", token)
        if word.startswith("SELECT") and frame.kind == "group":
            frame.kind = "clause"
        self._data_next = self._data_next or word.startswith("VALUES")
        self._filter_next = word.startswith("FILTER")

    def _mark(self, token: Token, frame: Frame) -> None:
        mark = token.text
        if mark in (")>>", "|}") and frame.opener != _PAIRS[mark]:
            if mark == "|}":
                self._count("operators", MAX_OPERATORS, "operators", token)
            for piece in (")", ">>") if mark == ")>>" else ("}",):
                self._close(piece, token)
        elif mark in _OPENERS:
            self._open(token, frame)
        elif mark in _PAIRS:
            self._close(mark, token)
        elif mark in _OPERATORS:
            self._count("operators", MAX_OPERATORS, "operators", token)
            if mark == "/" and frame.kind in _PATTERN_KINDS:
                self._join(frame, 1, token)
        elif mark in (".", ";", ",", "~") and frame.kind in _PATTERN_KINDS:
            self._join(frame, 1, token)

    def _open(self, token: Token, frame: Frame) -> None:
        if len(self._frames) > MAX_DEPTH:
            raise QueryRejected(
                f"Brackets are nested more than {MAX_DEPTH} deep, at {place(self._text, token.start)}.",
                "Flatten it, or split it into several queries.",
            )
        kind = self._kind(token.text, frame)
        forks = frame.forks + self._negated + bare(self._previous.text).endswith(_FORKING)
        if forks > MAX_FORKS:
            raise QueryRejected(
                f"`!`, REGEX, REPLACE, SUBSTR or GROUP_CONCAT stand more than {MAX_FORKS} deep within one another, "
                f"at {place(self._text, token.start)}.",
                "Write it flatter, with BIND for what is inside.",
            )
        opened = Frame(token.text, kind, token.start, forks=forks)
        if token.text == "{":
            opened.after_union = bare(self._previous.text).startswith("UNION")
            self._data_next = False
        if frame.kind == "list" and self._after_operand():
            self._join(frame, 2, token)
        self._frames.append(opened)
        if kind in _PATTERN_KINDS:
            self._join(opened, _WEIGHT[token.text], token)

    def _kind(self, opener: str, frame: Frame) -> str:
        if frame.kind in ("template", "data"):
            return frame.kind
        if opener == "{":
            if self._data_next:
                return "data"
            return "template" if bare(self._previous.text) == "CONSTRUCT" else "group"
        if opener != "(":
            return "node"
        if frame.kind in ("clause", "expression") or self._filter_next:
            return "expression"
        word = self._previous.kind == "word" and self._previous.text.upper() not in ("A", "TRUE", "FALSE")
        return "expression" if word else "list"

    def _close(self, mark: str, token: Token) -> None:
        frame = self._frames[-1]
        if frame.opener != _PAIRS[mark]:
            where = place(self._text, token.start)
            opened = f"`{frame.opener}` of {place(self._text, frame.start)}" if frame.opener else "nothing"
            raise QueryRejected(f"`{mark}` at {where} closes {opened}.", "Check the brackets.")
        self._frames.pop()
        parent = self._frames[-1]
        added = frame.patterns
        if frame.opener == "{":
            # The branches of a UNION are planned apart: the largest counts.
            if frame.after_union:
                added = max(0, frame.patterns - parent.branch)
            parent.branch = max(frame.patterns, parent.branch if frame.after_union else 0)
        parent.patterns += added
        self._check_joined(parent, token)

    def _join(self, frame: Frame, patterns: int, token: Token) -> None:
        frame.patterns += patterns
        self._count("patterns", MAX_PATTERNS, "triple patterns", token, patterns)
        self._check_joined(frame, token)

    def _check_joined(self, frame: Frame, token: Token) -> None:
        if frame.patterns > MAX_JOINED:
            raise QueryRejected(
                f"More than {MAX_JOINED} triple patterns are joined, at {place(self._text, token.start)}.",
                "Split the query; many values of one variable belong in VALUES.",
            )

    def _count(self, what: str, limit: int, name: str, token: Token, by: int = 1) -> None:
        self._counts[what] = self._counts.get(what, 0) + by
        if self._counts[what] > limit:
            raise QueryRejected(
                f"The query has more than {limit:,} {name}, at {place(self._text, token.start)}.",
                "Split it into several queries.",
            )
