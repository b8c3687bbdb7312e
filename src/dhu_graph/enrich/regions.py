"""Regions named in words → NUTS regions of the stated country."""

import re
from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import SPATIAL, TITLE, Facts
from dhu_graph.enrich.words import Phrases, fold
from dhu_graph.ontology import OP_COUNTRY, SKOS, Ontology

NUTS = "http://data.europa.eu/nuts/code/"
NAME, LEAD, IN_TITLE = "region-name", "region-of-lead", "region-in-title"
CONFIDENCE = {NAME: 0.95, LEAD: 0.65, IN_TITLE: 0.9}
_WIDE = ("/national", "/cross-border", "/european")
_SLASH = re.compile(r"\s*/\s*")
_KIND = re.compile(r"s lan$|\b(?:lan|vojvodstvo|wojewodztwo|megye|zupanija|kraj|provincia de)\b")


class Regions:
    """Finds regions by their official names, whole; a name that two regions of a country bear decides nothing.

    A country that is its own only region (Cyprus, `Malta`) is left out: its name says no more than the country does.
    Where levels bear one name (`Região Autónoma dos Açores` is of level 1, 2 and 3) the widest is meant.
    """

    def __init__(self, ontology: Ontology) -> None:
        broader = {s.value: o.value for s, o in ontology.pairs(SKOS + "broader")}
        self._country: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}
        self._phrases = Phrases()
        countries = {
            fold(t.value) for iri, t, _ in ontology.literals(SKOS + "prefLabel") if iri.startswith(OP_COUNTRY)
        }
        for iri, text, _ in ontology.literals(SKOS + "prefLabel"):
            if not iri.startswith(NUTS) or not countries.isdisjoint(map(fold, _SLASH.split(text.value))):
                continue
            top = iri
            while top.startswith(NUTS) and top in broader:
                top = broader[top]
            self._country[iri] = top
            for name in {text.value, *_SLASH.split(text.value)}:
                bare = _KIND.sub("", fold(name)).strip()
                for form in {fold(name), bare}:
                    if len(form) > 3:
                        self._named.setdefault(form, []).append(iri)
                        self._phrases.add(form, iri)

    def of_name(self, name: str, countries: set[str]) -> str | None:
        """The region that goes by exactly this name in these countries, if there is one alone."""
        return self._only(set(self._named.get(fold(name.strip()), ())), countries)

    def within(self, text: str) -> list[tuple[set[str], str]]:
        """(regions of any country, the words) for each region's name in a text that begins with a capital."""
        return [(found, words) for found, words in self._phrases.find(text) if words[:1].isupper()]

    def _only(self, found: set[str], countries: set[str]) -> str | None:
        inside = {iri for iri in found if self._country[iri] in countries}
        widest = {iri for iri in inside if not any(iri != o and iri.startswith(o) for o in inside)}
        return widest.pop() if len(widest) == 1 else None

    def derive(self, facts: Facts, leads: dict[str, str]) -> Iterator[Derivation]:
        """Where no region is stated: from the words of the source, else from the lead's name, else from the title."""
        places = facts.iris(SPATIAL)
        countries = {iri for iri in places if iri.startswith(OP_COUNTRY)}
        if any(iri.startswith(NUTS) for iri in places) or len(countries) != 1:
            return
        for _, _, name in facts.texts("regionName"):
            if region := self.of_name(name, countries):
                yield self._found(facts, region, NAME, name)
                return
        if facts.has("regionName"):
            return  # the source names a place that we do not know: the lead or the title would be a guess against it
        # The seat of those who lead something for a whole country says nothing of where it is.
        wide = any(scope.endswith(_WIDE) for scope in facts.iris("scope"))
        texts = [] if wide else [(LEAD, leads[lead]) for lead in facts.iris("lead") if lead in leads]
        texts += [(IN_TITLE, text) for _, _, text in facts.texts(TITLE)]
        for method, text in texts:
            named = {
                (region, words)
                for found, words in self.within(text)
                if (region := self._only(found, countries)) is not None
            }
            if len({region for region, _ in named}) == 1:
                region, words = min(named)
                yield self._found(facts, region, method, words)
                return

    def _found(self, facts: Facts, region: str, method: str, words: str) -> Derivation:
        return Derivation(facts.iri, SPATIAL, ox.NamedNode(region), method, CONFIDENCE[method], words)
