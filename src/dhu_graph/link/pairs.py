"""Pairs: which mentions are worth comparing, and how likely two are one thing, with the reasons."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from urllib.parse import unquote, urlsplit

from rapidfuzz.distance import JaroWinkler

from dhu_graph.link.mentions import Mention
from dhu_graph.link.names import Name, Names, fold

CERTAIN, DOUBTFUL = 3.0, 0.0
"""From this score on two mentions are one thing; from this one on a person should look."""
BLOCK = 40
"""Most mentions that may share a key; a key of more tells nothing, and all pairs of them would be too many."""
WORLD = frozenset({"EUR"})
_FAMILY = {
    "practice": 1,
    "solution": 1,
    "service": 1,
    "programme": 2,
    "policy": 3,
    "funding": 4,
    "tool": 1,
    "training": 5,
    "report": 6,
}
_EMPTY_HOSTS = ("www.",)


Reasons = tuple[tuple[str, float], ...]
"""What speaks for or against it, and how much, in units of evidence."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with its score, the sum of its reasons; `told` are the reasons in JSON, since few of many are ever read."""

    left: str
    right: str
    score: float
    told: str = "[]"

    @property
    def reasons(self) -> Reasons:
        """(what speaks for or against it, how much)."""
        return tuple((what, weight) for what, weight in json.loads(self.told))

    @property
    def verdict(self) -> str:
        """`same`, `review` or `different`."""
        return "same" if self.score >= CERTAIN else "review" if self.score >= DOUBTFUL else "different"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mention with its names taken apart and its addresses brought to one form."""

    mention: Mention
    names: tuple[Name, ...]
    pages: frozenset[str]
    countries: frozenset[str]
    folded: frozenset[str]
    acronyms: frozenset[str]
    """All abbreviations it goes by."""
    variants: tuple[frozenset[str], ...]
    """The sets of words under which it is known."""

    pieces: tuple[frozenset[str], ...]
    """The sets of words of what stands before or after a dash."""
    bare: bool
    """Whether nothing but abbreviations is known of it."""
    named: bool
    """Whether its names name a country themselves."""
    parties: frozenset[str]
    """Its lead and partners, folded."""


def prepare(mention: Mention, names: Names) -> Prepared:
    """The mention made ready to be compared."""
    apart = tuple(map(names, mention.names))
    told = frozenset(code for name in apart for code in name.countries)
    return Prepared(
        mention,
        apart,
        frozenset(filter(None, map(address, mention.pages))),
        (told or mention.countries) if mention.is_organisation else mention.countries | told,
        frozenset("".join(c for c in fold(text) if c.isalnum()) for text in mention.names),
        frozenset(a for name in apart for a in name.acronyms),
        tuple(v for name in apart for v in name.variants),
        tuple(p for name in apart for p in name.pieces),
        all(name.bare for name in apart),
        bool(told),
        frozenset(map(fold, mention.parties)),
    )


def address(url: str) -> str:
    """A web address as it can be compared: host without `www.`, path without index page; nothing for what is no address."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower().removeprefix("www.")
    except ValueError:
        return ""
    path = unquote(parts.path).rstrip("/").lower()
    for tail in ("/index.html", "/index.php", "/index.htm", "/home", ".git"):
        path = path.removesuffix(tail)
    query = f"?{parts.query}" if parts.query and not parts.query.startswith("utm_") else ""
    return f"{host}{path}{query}" if host else ""


def keys(one: Prepared) -> Iterator[str]:
    """What this mention shares with any other that could be the same thing."""
    what = "o" if one.mention.is_organisation else "r"
    for page in one.pages:
        yield f"{what}@{page}"
    for identifier in one.mention.identifiers:
        if len(identifier) > 5:
            yield f"{what}#{identifier.casefold()}"
    for text in one.folded:
        yield f"{what}={text[:40]}"
    place = "".join(sorted(one.countries)) if len(one.countries) == 1 else ""
    for name in one.names:
        for acronym in name.acronyms:
            yield f"{what}!{acronym}"
        if name.initials and what == "o":
            yield f"o!{name.initials}"
        for piece in name.pieces:
            if _own(piece):
                yield f"{what}~{' '.join(sorted(piece))}|"
        for words in name.variants:
            if what == "o" and not _own(words):
                yield f"o~general|{place}"
            own = sorted(w for w in words if not w.startswith("+"))
            yield f"{what}~{' '.join(sorted(words))}|{place if not own else ''}"
            for pair in combinations(own[:5], 2):
                yield f"{what}~~{' '.join(pair)}"
            for word in own:
                if len(word) > 4 and not word.isdigit():
                    yield f"{what}~{word[:12]}|{place}"
                    if what == "o":
                        yield f"o~{word[:12]}"
    if not one.mention.is_organisation:
        # The same lead, the same country and one word in common.
        for party in one.mention.parties[:2]:
            yield f"{what}^{fold(party)[:40]}|{place}"


def score(a: Prepared, b: Prepared, cosine: float | None = None) -> tuple[float, Reasons]:
    """How likely two mentions are one thing, and why; the same whichever comes first."""
    if a.mention.iri > b.mention.iri:
        a, b = b, a
    if a.mention.is_organisation != b.mention.is_organisation:
        return -9.0, (("an organisation and something else", -9.0),)
    found = tuple(_organisations(a, b) if a.mention.is_organisation else _resources(a, b, cosine))
    return round(sum(weight for _, weight in found), 3), found


def _organisations(a: Prepared, b: Prepared) -> Iterator[tuple[str, float]]:
    name, weight = _names(a, b)
    yield name, weight
    shared = a.acronyms & b.acronyms
    if shared and name not in _EQUAL:
        long = max(map(len, shared)) > 2
        agrees = a.bare or b.bare or _likeness(a, b) > 0.34
        yield "the same abbreviation", (3.0 if long else 2.0) if agrees else 0.8
    elif a.acronyms and b.acronyms and not shared and name not in _EQUAL:
        yield "other abbreviations", -1.5
    if not shared and any(n.initials in other.acronyms for one, other in ((a, b), (b, a)) for n in one.names):
        yield "an abbreviation of the other's words", 2.0
    if a.pages & b.pages:
        yield "the same web address", 2.0
    yield from _places(a, b, name)


_SAME, _FORM, _GENERAL = (
    "the same name",
    "the same words in another form",
    "the same words, all of them general",
)
_EQUAL = (_SAME, _FORM, _GENERAL)


def _names(a: Prepared, b: Prepared) -> tuple[str, float]:
    if not a.folded.isdisjoint(b.folded):
        words = frozenset[str]().union(*a.variants)
        own = any(not w.startswith("+") for w in words) or not words
        return (_SAME, 3.5) if own else (_GENERAL, 1.5)
    best = ("an abbreviation only", 0.0) if a.bare or b.bare else ("unlike names", -2.0)
    for left in a.variants:
        for right in b.variants:
            # `HUS Helsinki University Hospital` and `Helsinki University Hospital (HUS)`
            found = _compared(left - b.acronyms or left, right - a.acronyms or right)
            best = max(best, found, key=lambda pair: pair[1])
    for one, other in ((a, b), (b, a)):
        if best[1] < 1.2 and any(_own(piece) and piece in other.variants for piece in one.pieces):
            best = ("a name that is a piece of the other", 1.2)
    return best


def _own(words: frozenset[str]) -> frozenset[str]:
    """The words that are a name's own, and not those that many names are made of."""
    return frozenset(w for w in words if not w.startswith("+"))


def _compared(left: frozenset[str], right: frozenset[str]) -> tuple[str, float]:
    own_left = {w for w in left if not w.startswith("+")}
    own_right = {w for w in right if not w.startswith("+")}
    if left == right:
        return (
            ("the same words in another form", 3.2)
            if own_left
            else ("the same words, all of them general", 1.5)
        )
    numbers = {w for w in left ^ right if w.isdigit()}
    if numbers:
        return "other numbers in the name", -2.0
    share = len(left & right) / len(left | right)
    if own_left and own_left == own_right:
        return "the same own words, other general ones", -1.0 + 3.0 * share
    if (
        own_left
        and own_right
        and _spelt_alike(own_left, own_right)
        and (left - own_left) == (right - own_right)
    ):
        return "the same words but for spelling", 2.4
    if own_left - own_right and own_right - own_left:
        return "own words that the other has not", -2.0 + 2.0 * share
    if left < right or right < left:
        return "one name within the other", -0.8 + 2.6 * share
    return "words in common", -2.0 + 3.0 * share


def _spelt_alike(left: set[str], right: set[str]) -> bool:
    """Whether words differ by a slip only: each of the one has a long and nearly equal one in the other."""
    rest_left, rest_right = left - right, right - left
    if len(rest_left) != len(rest_right):
        return "".join(sorted(left)) == "".join(sorted(right))
    return all(
        len(word) > 6
        and any(word[0] == other[0] and JaroWinkler.similarity(word, other) > 0.95 for other in rest_right)
        for word in rest_left
    )


def _likeness(a: Prepared, b: Prepared) -> float:
    return max((len(x & y) / len(x | y) for x in a.variants for y in b.variants), default=0.0)


def _places(a: Prepared, b: Prepared, name: str) -> Iterator[tuple[str, float]]:
    if not a.countries or not b.countries:
        if name == _GENERAL:
            yield "general words, and a country is not known", -0.4
        return
    shared = a.countries & b.countries
    if shared:
        alone = len(shared) == len(a.countries | b.countries) == 1
        yield "the same country", 2.0 if name == _GENERAL and alone else 0.6
    elif WORLD & (a.countries | b.countries):
        yield "one of them is of the whole Union", -1.0
    elif name in (_SAME, _FORM) and not (a.named and b.named):
        # Where a body's records lie is no name of its country: a company serves several.
        yield "records of other countries", -1.5
    else:
        yield "other countries", -5.0


def _resources(a: Prepared, b: Prepared, cosine: float | None) -> Iterator[tuple[str, float]]:
    name, weight = _names(a, b)
    yield name, max(weight, -1.0)
    shared = a.pages & b.pages
    if shared:
        deep = any("/" in page for page in shared)
        yield "the same web page" if deep else "the same web site", 2.2 if deep else 1.8
    if not set(a.mention.identifiers).isdisjoint(b.mention.identifiers):
        yield "the same identifier", 2.5
    acronyms = a.acronyms & b.acronyms
    if acronyms and name not in _EQUAL:
        yield "the same abbreviation", 1.2
    if a.countries and b.countries:
        if a.countries & b.countries:
            yield "a country in common", 0.4
        else:
            yield "other countries", -3.0
    if not a.parties.isdisjoint(b.parties):
        yield "a body in common", 0.8
    if _FAMILY.get(a.mention.kind) != _FAMILY.get(b.mention.kind):
        yield "another kind of thing", -1.5
    if a.mention.source == b.mention.source:
        yield "two records of one source", -1.2
    if cosine is not None:
        yield "what is said of them", round(4.0 * (cosine - 0.45), 3)
