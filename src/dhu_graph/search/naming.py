"""What a question names: countries, regions, years, stages, themes, people; offered as filters, never forced.

Names come from the labels of the graph in 24 languages, from `index/places/` (everyday names, adjectives, stems that
change), from the lexicon by way of `index/named.tsv`, and from words beside a year (`index/years.tsv`).
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property

from dhu_graph import assets
from dhu_graph.index import fold
from dhu_graph.ontology import OP_COUNTRY, SKOS, Ontology
from dhu_graph.search.lexicon import Forms, Found, Lexicon, folded, rows

NUTS = "http://data.europa.eu/nuts/code/"
SCHEMES = {"theme": "vocab/theme"}
"""Columns whose values are named by the labels of a scheme of ours. Of stages and groups of people the lexicon names those
that are meant as such: `patients` or `planned` stand in questions that are not about them."""
ENDING = 4
"""Letters that a name may have after its stem: `Bulgarijoje`, `Németországban`."""
FIRST_YEAR, LAST_YEAR = 1985, 2049
_LITTLE = frozenset("an na the la le les el los il lo i l der die das den de het o a os as η ο το τα".split())
_VOWELS = frozenset("aeiouyαειουωη")
_NEAR = 3
"""Words on either side of a year in which its relation may stand."""


@dataclass(frozen=True, slots=True)
class Named:
    """A filter that words of a question name; for years, `value` is `2020-`, `-2020` or `2020-2022`."""

    column: str
    value: str
    words: str
    hint: bool = False
    """Only likely to be meant: it lifts documents a little and is not offered."""


class Names:
    """Finds what questions name. Only `values` (column → values that documents have) are offered."""

    def __init__(self, ontology: Ontology, lexicon: Lexicon, values: Mapping[str, Iterable[str]]) -> None:
        self._ontology, self.lexicon = ontology, lexicon
        self._values = {column: frozenset(known) for column, known in values.items()}

    def of(self, values: Mapping[str, Iterable[str]]) -> "Names":
        """The same names for other values: reading them takes a second, and every release has its own values."""
        _ = self._everyday, self._official, self._by_concept, self._relations
        other = copy(self)
        other._values = {column: frozenset(known) for column, known in values.items()}
        return other

    def find(self, text: str, concepts: Iterable[Found] = ()) -> list[Named]:
        """What the text names, in the order of the columns; `concepts` are those that the lexicon found in it."""
        tokens, concepts = folded(text), list(concepts)
        # Everyday names are short: Polish `dane` (data) is no Dane. Where the language is not known, all are tried.
        sure = len({found.first for found in concepts}) > 1
        spoken = {found.language for found in concepts} | {"en"} if sure else set(self._everyday)
        sets = [self._official, *(self._everyday[code] for code in sorted(spoken & set(self._everyday)))]
        found: dict[tuple[str, str], tuple[bool, str]] = {}
        for column, value, first, after, hint in [
            *((*each, False) for forms in sets for each in _labelled(forms, tokens)),
            *self._meant(concepts),
        ]:
            if value in self._values.get(column, ()):
                if (column, value) not in found or found[column, value][0] > hint:
                    found[column, value] = (hint, " ".join(tokens[first:after]))
        named = [
            Named(column, value, words, hint) for (column, value), (hint, words) in sorted(found.items())
        ]
        return named + self._years(text)

    def _meant(self, concepts: Iterable[Found]) -> Iterable[tuple[str, str, int, int, bool]]:
        for found in concepts:
            for column, value, hint in self._by_concept.get(found.concept, ()):
                yield column, value, found.first, found.after, hint

    def _years(self, text: str) -> list[Named]:
        """The years of a text with what stands beside them; of several, from the first to the last."""
        tokens = folded(re.sub(r"(\d{4})([^\W\d_])", r"\1 \2", text))
        years = [
            (n, int(w)) for n, w in enumerate(tokens) if w.isdigit() and FIRST_YEAR <= int(w) <= LAST_YEAR
        ]
        if not years:
            return []
        (at, year), last = years[0], years[-1][1]
        beside = set(tokens[max(0, at - _NEAR) : at + _NEAR + 1])
        words = " ".join(tokens[at : years[-1][0] + 1])
        if len(years) > 1 and last > year:
            return [Named("year", f"{year}-{last}", words)]
        relations = self._relations
        if beside & relations["after"]:
            return [Named("year", f"{year + 1}-", words)]
        if beside & relations["from"]:
            return [Named("year", f"{year}-", words)]
        if beside & relations["to"]:
            return [Named("year", f"-{year}", words)]
        return [Named("year", f"{year}-{year}", words)]

    @cached_property
    def _relations(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for row in _table("years.tsv"):
            found[row["relation"]] |= {fold(word) for word in row["words"].split("|")}
        return found

    @cached_property
    def _by_concept(self) -> Mapping[str, list[tuple[str, str, bool]]]:
        found: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
        for row in _table("named.tsv"):
            for concept in row["concepts"].split("|"):
                found[concept].append((row["column"], row["value"], row["how"] == "hint"))
        return found

    @cached_property
    def _everyday(self) -> Mapping[str, Forms]:
        found: dict[str, Forms] = {}
        for path in sorted((assets.folder("index") / "places").glob("*.tsv")):
            forms = found.setdefault(path.stem, Forms(longest_ending=ENDING))
            for code, told in rows(path):
                column = "country" if code in self._countries else "region"
                for form in told.split("|"):
                    forms.add(form, f"{column}={code}")
        return found

    @cached_property
    def _official(self) -> Forms:
        forms = Forms(longest_ending=ENDING)
        schemes = {
            iri: column
            for column, name in SCHEMES.items()
            for iri in self._ontology.schemes[self._ontology.iri(name)]
        }
        for name in ("prefLabel", "altLabel"):
            for iri, text, _ in self._ontology.literals(SKOS + name):
                kind = schemes.get(iri) or (
                    "country" if iri.startswith(OP_COUNTRY) else "region" if iri.startswith(NUTS) else None
                )
                if kind:
                    forms.add(_stemmed(text.value), f"{kind}={self._ontology.notation(iri)}")
        return forms

    @cached_property
    def _countries(self) -> frozenset[str]:
        return frozenset(map(self._ontology.notation, self._ontology.schemes[OP_COUNTRY]))


def _labelled(forms: Forms, tokens: list[str]) -> Iterable[tuple[str, str, int, int]]:
    """(column, value, first word, the one after the last) of the longest names that begin at each word."""
    at = 0
    while at < len(tokens):
        found = [*forms.of_phrase(tokens, at), *((meaning, 1) for meaning in forms.of_word(tokens[at]))]
        longest = max((length for _, length in found), default=1)
        for meaning, length in found:
            if length == longest:
                column, _, value = meaning.partition("=")
                yield column, value, at, at + length
        at += longest


def _stemmed(label: str) -> str:
    """A label as a form: no article in front, each longer word with any ending in place of its last vowel."""
    tokens = folded(label)
    while len(tokens) > 1 and tokens[0] in _LITTLE:
        tokens = tokens[1:]
    return " ".join(
        word if len(word) < 4 else f"{word[:-1] if len(word) > 5 and word[-1] in _VOWELS else word}*"
        for word in tokens
    )


def _table(name: str) -> list[dict[str, str]]:
    with (assets.folder("index") / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))
