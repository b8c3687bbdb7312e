"""Names, taken apart: variants, abbreviations, countries; and their words, brought to one form across languages."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from dhu_graph import assets
from dhu_graph.ontology import OP_COUNTRY, Ontology

_LITTLE = frozenset(
    "of the and for in on de la le du des der die das und für van het en et e y del di da dos".split()
)
_WORD = re.compile(r"[^\W_]+")
_BRACKET = re.compile(r"\(([^()]*)\)")
_ACRONYM = re.compile(r"(?:[A-ZÀ-ÞΑ-ΩА-Я][\wÀ-ÿ.&-]{0,11})")
_FORMERLY = re.compile(
    r"^(?:formerly|former|previously|now|ex|today|then|also|trading as|known as|aka)\b[:,]?\s*", re.I
)
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "ß": "ss", "þ": "th"}
)


def fold(text: str) -> str:
    """Lower case without accents and strokes: `Łódź` → `lodz`."""
    if text.isascii():
        return text.casefold()
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_STROKES))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    `variants` are the sets of words under which the whole is known; a word that a lexicon knows stands as its concept
    (`+health`), so that `Ministry of Health` and `Ministerstvo zdravotnictví` are one. `acronyms` are its abbreviations,
    `countries` those it names itself.
    """

    text: str
    variants: tuple[frozenset[str], ...]
    acronyms: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    pieces: tuple[frozenset[str], ...] = ()
    """Words of what stands before or after a dash, which may be the whole, a part of it, or what it belongs to."""
    initials: str = ""
    """First letters of its words, as an abbreviation would be made of them."""
    bare: bool = False
    """Nothing but an abbreviation."""


@dataclass
class Names:
    """Takes names apart with the country names of the ontology and the words of `link/`."""

    ontology: Ontology
    _cache: dict[str, Name] = field(default_factory=dict)

    def __call__(self, text: str) -> Name:
        """The name taken apart."""
        found = self._cache.get(text)
        if found is None:
            found = self._cache[text] = self._apart(text)
        return found

    def _apart(self, text: str) -> Name:
        acronyms: set[str] = set()
        countries: set[str] = set()
        others: list[str] = []
        for inner in _BRACKET.findall(text):
            for part in re.split(r"[/;,]| - ", inner):
                part = part.strip()
                if code := self._country(part):
                    countries.add(code)
                elif _looks_short(part):
                    acronyms.add(fold(part))
                elif _FORMERLY.match(part):
                    others.append(_FORMERLY.sub("", part))
        plain = _BRACKET.sub(" ", text)
        pieces = [p.strip(" ,") for p in re.split(r"\s[–—-]\s|\s\|\s|:\s", plain) if p.strip(" ,")]
        wholes = [plain]
        # `SPMS – Shared Services`: an abbreviation before or after a dash is another name, other pieces are parts.
        if len(pieces) == 2:
            for short, long in (pieces, pieces[::-1]):
                if _looks_short(short):
                    acronyms.add(fold(short))
                    wholes = [long]
        head, comma, tail = wholes[0].rpartition(",")
        if comma and (code := self._country(tail)):
            countries.add(code)
            wholes = [head]
        variants = []
        for whole in (*wholes, *others):
            words, named = self._words(whole)
            countries |= named
            if words:
                variants.append(words)
        weak = [self._words(piece)[0] for piece in pieces] if len(pieces) > 1 else []
        letters = "".join(w[0] for w in re.findall(r"[^\W\d_]+", wholes[0]) if fold(w) not in _LITTLE)
        bare = _looks_short(plain.strip()) and len(plain.split()) == 1
        if bare:
            acronyms.add(fold(plain.strip()))
        short = frozenset(re.sub(r"[^a-z0-9α-ωа-я]", "", a) for a in acronyms)
        return Name(
            text,
            tuple(dict.fromkeys(variants)),
            frozenset(a for a in short if len(a) > 1),
            frozenset(countries),
            tuple(words for words in weak if words),
            fold(letters) if len(letters) > 2 else "",
            bare,
        )

    def _words(self, text: str) -> tuple[frozenset[str], frozenset[str]]:
        """(words brought to one form, countries named among them)."""
        folded = _WORD.findall(fold(" ".join(_without_legal(text.split()))))
        countries: set[str] = set()
        words: set[str] = set()
        at = 0
        while at < len(folded):
            for length in (4, 3, 2, 1):  # the longest country name that begins here
                if code := self._countries.get(" ".join(folded[at : at + length])):
                    countries.add(code)
                    at += length
                    break
            else:
                word = folded[at]
                at += 1
                if place := _places().get(word):
                    if place in self._codes:
                        countries.add(self._codes[place])
                    else:
                        words.add(place)
                elif concepts := lexicon().get(word):
                    words |= {
                        f"+{concept}"
                        for concept in concepts
                        if not concept.startswith("_") and concept != "republic"
                    }
                elif len(word) > 1 or word.isdigit():
                    words.add(word)
        return frozenset(words), frozenset(countries)

    def _country(self, text: str) -> str | None:
        name = " ".join(_WORD.findall(fold(text)))
        return self._countries.get(name) or self._codes.get(_places().get(name, ""))

    @cached_property
    def _codes(self) -> dict[str, str]:
        """Two-letter code → code of the EU table."""
        members = self.ontology.schemes[OP_COUNTRY]
        return {
            text.value: self.ontology.notation(iri)
            for iri, text, _ in self.ontology.literals("http://www.w3.org/2004/02/skos/core#notation")
            if iri in members and len(text.value) == 2
        }

    @cached_property
    def _countries(self) -> dict[str, str]:
        found: dict[str, str] = {}
        members = self.ontology.schemes[OP_COUNTRY]
        for iri, text, _ in self.ontology.literals("http://www.w3.org/2004/02/skos/core#prefLabel"):
            name = " ".join(_WORD.findall(fold(text.value)))
            if iri in members and len(name) > 3:
                found[name] = self.ontology.notation(iri)
        return found


def _looks_short(text: str) -> bool:
    """An abbreviation: one word of at most a dozen characters, mostly capitals."""
    if not text or len(text) > 12 or " " in text or not _ACRONYM.fullmatch(text):
        return False
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 1 and sum(c.isupper() for c in letters) * 2 >= len(letters)


def _without_legal(words: list[str]) -> list[str]:
    """The words of a name without its legal form, which stands at the end or, in some countries, at the beginning."""
    while len(words) > 1 and _bare(words[-1]) in _legal():
        words = words[:-1]
    for length in (3, 2):  # `Sp. z o.o.`
        if len(words) > length and " ".join(map(_bare, words[-length:])) in _legal():
            words = words[:-length]
    return words[1:] if len(words) > 1 and _bare(words[0]) in _legal() else words


def _bare(word: str) -> str:
    return word.replace(".", "").strip(",;").casefold()


@lru_cache(1)
def _legal() -> frozenset[str]:
    forms = (form for _, forms in _rows("legal.tsv") for form in forms.split("|"))
    return frozenset(" ".join(map(_bare, form.split())) for form in forms if form.strip())


@lru_cache(1)
def lexicon() -> dict[str, frozenset[str]]:
    """Folded form → concepts, of the words that names of bodies are made of, in the EU languages."""
    parts = {concept: frozenset(names.split()) for concept, names in _rows("parts.tsv")}
    found: dict[str, set[str]] = {}
    for concept, _, forms in _rows("words.tsv"):
        for form in forms.split("|"):
            if form.strip() and " " not in form.strip():
                found.setdefault(fold(form.strip()).strip("."), set()).update(parts.get(concept, {concept}))
    for _, form, concepts in _rows("compounds.tsv"):
        found[fold(form.strip())] = {part for c in concepts.split() for part in parts.get(c, {c})}
    # A form that one language uses for a thing and another for a little word means the thing.
    return {
        form: frozenset(c for c in concepts if c != "_stop" or len(concepts) == 1)
        for form, concepts in found.items()
    }


@lru_cache(1)
def _places() -> dict[str, str]:
    """Folded name or adjective of a place → its two-letter code, or the name that stands for a town or region."""
    return {fold(form.strip()): place for place, _, forms in _rows("places.tsv") for form in forms.split("|")}


def _rows(name: str) -> Iterable[list[str]]:
    path = assets.folder("link") / name
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines[1:] if line and not line.startswith("#")]
