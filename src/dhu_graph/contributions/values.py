"""What a cell may hold: the choices of a column in a language, and a cell read back, with words of help where it cannot be."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

import pyoxigraph as ox

from dhu_graph.contributions.columns import Column, described
from dhu_graph.ingest.functions import Functions
from dhu_graph.ontology import EU_LANGUAGES, OP_COUNTRY, SKOS, Ontology

LANGUAGES = "http://publications.europa.eu/resource/authority/language"
_NUTS = "http://data.europa.eu/nuts/code/"
_CURRENCIES = tuple(
    "EUR ALL BAM BGN CHF CZK DKK GBP GEL HUF ISK MDL MKD NOK PLN RON RSD SEK TRY UAH USD".split()
)
_MARKS = ("=", "+", "-", "@", "\t", "\r")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_EVERY = re.compile(r"[|;\n]+")
_LINES = re.compile(r"[|\n]+")
_ADDRESSES = re.compile(r"[|\s]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a value, and what may have been meant."""

    message: str
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.suggestions:
            return f"{self.message}."
        return f"{self.message}; did you mean {' or '.join(map(quoted, self.suggestions))}?"


class Values:
    """The values of all columns, with labels in one language."""

    def __init__(self, ontology: Ontology, language: str = "en") -> None:
        self._ontology, self._language = ontology, language
        self._functions = Functions(ontology, "contributions")

    def options(self, column: Column) -> list[str]:
        """The choices of a column as a contributor reads them; nothing where any value will do."""
        if column.form == "currency":
            return list(_CURRENCIES)
        if column.form == "region":
            return sorted(f"{iri.removeprefix(_NUTS)} {self._label(iri)}" for iri in self._regions.values())
        if column.form == "kind":
            return [self._label(iri) for iri in described(self._ontology)]
        found = {self._label(iri): code for iri, code in self._choices(column).items()}
        order = sorted(found, key=lambda label: (self._last(column, found[label]), label.casefold()))
        return order

    def cell(self, column: Column, value: str) -> str:
        """A value as it stands in a cell of the template in this language: a code becomes its label."""
        for iri, code in self._choices(column).items():
            if code == value:
                return self._label(iri)
        return value

    def read(self, column: Column, text: str) -> tuple[list[str], list[Problem]]:
        """The values of a cell, concepts as codes, and what is wrong with those that cannot be taken."""
        values: list[str] = []
        problems: list[Problem] = []
        for part in self._parts(column, plain(text)):
            value, problem = self._one(column, part)
            if problem:
                problems.append(problem)
            elif value not in values:
                values.append(value)
        return values, problems

    def _parts(self, column: Column, text: str) -> list[str]:
        if not column.several:
            return [text] if text else []
        split = {"text": _LINES, "web": _ADDRESSES}.get(column.form, _EVERY)
        return [part for each in split.split(text) if (part := each.strip())]

    def _one(self, column: Column, text: str) -> tuple[str, Problem | None]:
        """One value, or what is wrong with it."""
        if column.form == "text":
            if _EMAIL.search(text):
                told = "The text holds an e-mail address. Data on persons are not taken; give a contact page"
                return "", Problem(told)
            term = self._functions.text(text)
            return str(getattr(term, "value", "")), None
        if column.form == "web":
            made = self._functions.web(text)
            told = f"{quoted(text)} is not a web address; it begins with https:// and has no spaces"
            guess = "https://" + text if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", text) else ""
            return (made, None) if made else ("", Problem(told, (guess,) if guess else ()))
        if column.form == "year":
            year = str(getattr(self._functions.year(text), "value", ""))
            return (
                (year, None)
                if year
                else ("", Problem(f"{quoted(text)} is not a year; write four digits, such as 2024"))
            )
        if column.form == "number":
            number = str(
                getattr(self._functions.decimal(text.replace("\u00a0", "").replace(" ", "")), "value", "")
            )
            told = f"{quoted(text)} is not a number; write digits, with a point before decimals"
            return (number, None) if number else ("", Problem(told))
        if column.form == "currency":
            code = text.upper()
            known = code if code in _CURRENCIES else ""
            return (
                (known, None) if known else ("", Problem(f"{quoted(text)} is not in the list of currencies"))
            )
        return self._chosen(column, text)

    def _chosen(self, column: Column, text: str) -> tuple[str, Problem | None]:
        code = self._code(column, text)
        if code:
            return code, None
        if column.form == "known":
            # Words that no concept has are kept as words.
            return ("", Problem("The text holds an e-mail address")) if _EMAIL.search(text) else (text, None)
        names = self._names(column)
        close = tuple(dict.fromkeys(names[name] for name in _closest(text, tuple(names))))[:2]
        return "", Problem(f"{quoted(text)} is not in the list of {self._title(column)}", close)

    def _code(self, column: Column, text: str) -> str:
        if column.form == "region":
            return self._region(text)
        if column.form == "kind":
            return self._kinds.get(text.casefold(), "")
        iri = self._ontology.concept(column.scheme or self._scheme(column), text)
        return self._choices(column).get(iri, "") if iri else ""

    def _region(self, text: str) -> str:
        code = text.split(" ", 1)[0].upper()
        if code in self._regions:
            return code
        named = [c for c, iri in self._regions.items() if self._label(iri).casefold() == text.casefold()]
        # The same name on two levels is one place: the higher level says the same with less.
        return min(named, key=len) if named and len({c[:2] for c in named}) == 1 else ""

    def _choices(self, column: Column) -> dict[str, str]:
        """IRI → code of everything that may be chosen in a column."""
        scheme = self._scheme(column)
        if column.form == "kind":
            return {iri: self._ontology.kinds[iri] for iri in described(self._ontology)}
        if column.form == "language":
            return self._languages
        if not scheme:
            return {}
        return {iri: self._ontology.notation(iri) for iri in self._ontology.schemes[scheme]}

    def _scheme(self, column: Column) -> str:
        if column.form == "country":
            return OP_COUNTRY
        if column.form == "language":
            return LANGUAGES
        return self._ontology.iri("vocab/" + column.scheme) if column.scheme else ""

    def _title(self, column: Column) -> str:
        """What the list of a column is called, in English, as messages are."""
        fixed = {"kind": "kinds", "region": "NUTS regions", "country": "countries", "language": "languages"}
        return fixed.get(column.form) or self._ontology.label(self._scheme(column)).lower()

    def _names(self, column: Column) -> dict[str, str]:
        """Every name that could have been meant → the label to suggest."""
        if column.form == "region":
            return {name: name for name in self.options(column)}
        found: dict[str, str] = {}
        for iri in self._choices(column):
            label = self._label(iri)
            for name in (label, self._ontology.label(iri), *self._synonyms.get(iri, ())):
                found.setdefault(name, label)
        return found

    def _last(self, column: Column, code: str) -> bool:
        """Whether a choice stands in the second half of its list: countries outside the Union, and `other`."""
        return code not in self._members if column.form == "country" else code == "other"

    def _label(self, iri: str) -> str:
        return self._ontology.label(iri, self._language)

    @cached_property
    def _kinds(self) -> dict[str, str]:
        """Every name of a kind, in lower case and in any language → its code; codes and English names come first."""
        kinds = {iri: self._ontology.kinds[iri] for iri in described(self._ontology)}
        found = {code: code for code in kinds.values()}
        for language in dict.fromkeys((self._language, *EU_LANGUAGES)):
            for iri, code in kinds.items():
                found.setdefault(self._ontology.label(iri, language).casefold(), code)
        return found

    @cached_property
    def _languages(self) -> dict[str, str]:
        """IRI → short code of the official languages."""
        short = self._ontology.iri("ns#bcp47")
        found = {}
        for iri in self._ontology.schemes[LANGUAGES]:
            for quad in self._quads(iri, SKOS + "notation"):
                code = quad.object
                if (
                    isinstance(code, ox.Literal)
                    and code.datatype.value == short
                    and code.value in EU_LANGUAGES
                ):
                    found[iri] = code.value
        return found

    @cached_property
    def _regions(self) -> dict[str, str]:
        concepts = {iri for members in self._ontology.schemes.values() for iri in members}
        return {iri.removeprefix(_NUTS): iri for iri in concepts if iri.startswith(_NUTS)}

    @cached_property
    def _members(self) -> set[str]:
        """The codes of the members of the Union."""
        property = ox.NamedNode(self._ontology.iri("ns#memberOf"))
        quads = self._ontology.store.quads_for_pattern(None, property, None, None)
        return {self._ontology.notation(str(getattr(q.subject, "value", ""))) for q in quads}

    @cached_property
    def _synonyms(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for iri, text, _ in self._ontology.literals(SKOS + "altLabel"):
            if text.language in (self._language, "en"):
                found.setdefault(iri, []).append(text.value)
        return found

    def _quads(self, iri: str, predicate: str) -> list[ox.Quad]:
        return list(
            self._ontology.store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(predicate), None, None)
        )


def plain(text: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    text = text.strip()
    return text[1:].strip() if text.startswith("'") and text[1:].startswith(_MARKS) else text


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; `plain` takes the apostrophe off again."""
    return f"'{text}" if text.startswith(_MARKS) else text


def quoted(text: str) -> str:
    """A value as messages show it: short, on one line, without what a terminal would obey."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return f'"{shown[:80]}{"…" if len(shown) > 80 else ""}"'


@lru_cache(2_000)
def _closest(text: str, names: tuple[str, ...]) -> list[str]:
    from rapidfuzz import fuzz, process, utils

    found = process.extract(
        text[:200], names, scorer=fuzz.WRatio, processor=utils.default_process, limit=6, score_cutoff=62
    )
    # What is much further off than the nearest would only confuse.
    return [str(name) for name, score, _ in found if score >= found[0][1] - 8]
