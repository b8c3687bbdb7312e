"""Themes from words, and what the vocabularies say of a stated theme."""

from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import ALTERNATIVE, DCT, DESCRIPTION, KEYWORD, THEME, TITLE, Facts
from dhu_graph.enrich.words import Phrases
from dhu_graph.ontology import SKOS, Ontology

TITLED, WORDED, EUROVOC, CDHI = "theme-in-title", "theme-in-text", "eurovoc-of-theme", "cdhi-of-theme"
CONFIDENCE = {TITLED: 0.89, WORDED: 0.5}
_EUROVOC = "http://eurovoc.europa.eu/"
_TITLES = (TITLE, ALTERNATIVE)


class Themes:
    """Finds themes by their labels in the language of the text; a text without a language is read as English."""

    def __init__(self, ontology: Ontology) -> None:
        scheme = ontology.schemes[ontology.iri("vocab/theme")]
        self._phrases: dict[str, Phrases] = {}
        for name in ("prefLabel", "altLabel", "hiddenLabel"):
            for iri, text, _ in ontology.literals(SKOS + name):
                if iri in scheme:
                    self._phrases.setdefault(text.language or "en", Phrases()).add(text.value, iri)
        self._matches = {
            EUROVOC: [
                (s.value, o, 0.9 if kind == "exactMatch" else 0.7)
                for kind in ("exactMatch", "closeMatch")
                for s, o in ontology.pairs(SKOS + kind)
                if s.value in scheme and o.value.startswith(_EUROVOC)
            ],
            CDHI: [
                (s.value, o, 0.7) for s, o in ontology.pairs(ontology.iri("ns#cdhi")) if s.value in scheme
            ],
        }
        self._cdhi = ontology.iri("ns#cdhi")
        self._label = ontology.label

    def derive(self, facts: Facts) -> Iterator[Derivation]:
        """Subjects and codes of the stated themes; where there are none, themes that the words name twice, or in the title."""
        if facts.has(THEME):
            yield from self._of_stated(facts)
            return
        hits: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
        for predicate, language, text in facts.texts(TITLE, ALTERNATIVE, DESCRIPTION, KEYWORD):
            phrases = self._phrases.get((language or "en").split("-")[0])
            for meanings, words in phrases.find(text) if phrases else ():
                # Independent are other words, or the same ones in another field.
                for theme in meanings if len(meanings) == 1 else ():
                    hits.setdefault(theme, {})[predicate, words.casefold()] = (predicate, words)
        for theme, found in sorted(hits.items()):
            titled = [words for predicate, words in found.values() if predicate in _TITLES]
            if not titled and len(found) < 2:
                continue
            method = TITLED if titled else WORDED
            evidence = " | ".join(sorted({words for _, words in found.values()}))
            yield Derivation(facts.iri, THEME, ox.NamedNode(theme), method, CONFIDENCE[method], evidence)

    def _of_stated(self, facts: Facts) -> Iterator[Derivation]:
        themes = set(facts.iris(THEME))
        for method, predicate in ((EUROVOC, DCT + "subject"), (CDHI, self._cdhi)):
            best: dict[ox.NamedNode | ox.Literal, tuple[float, str]] = {}
            for theme, value, sure in self._matches[method]:
                if theme in themes and not facts.states(predicate, value):
                    best[value] = max(best.get(value, (0.0, "")), (sure, theme))
            for value, (sure, theme) in sorted(best.items(), key=str):
                yield Derivation(facts.iri, predicate, value, method, sure, self._label(theme))
