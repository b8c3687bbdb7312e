"""A start year named in words (`since 2019`, `seit 2019`), in nine languages."""

import re
from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import DESCRIPTION, TITLE, Facts

METHOD, CONFIDENCE = "year-in-text", 0.5
_GYEAR = ox.NamedNode("http://www.w3.org/2001/XMLSchema#gYear")
_YEAR = r"\b(?P<year>19[89]\d|20[0-4]\d)\b(?![-–/.,]?\d)"
_PHRASES = {
    "en": r"since(?: the year)?|(?:launched|started|established|founded|introduced|set up|created|begun|operational|in operation|in use|opened|begun) (?:in|since)|(?:started|began) (?:operating )?in",
    "de": r"seit(?: dem jahr)?|(?:gegründet|gestartet|eingeführt|eingerichtet)(?: im jahr)?|startete(?: im jahr)?",
    "fr": r"depuis(?: l.année)?|(?:lancée?|créée?|fondée?|mise? en place|mise? en service|démarrée?) en",
    "es": r"desde(?: el año)?|(?:lanzad[oa]|cread[oa]|fundad[oa]|iniciad[oa]|puest[oa] en marcha) en(?: el año)?",
    "it": r"dal|(?:lanciat[oa]|avviat[oa]|creat[oa]|fondat[oa]|istituit[oa]|introdott[oa]) nel",
    "pt": r"desde(?: o ano(?: de)?)?|(?:lançad[oa]|criad[oa]|fundad[oa]|iniciad[oa]) em",
    "nl": r"sinds|(?:gestart|opgericht|gelanceerd|ingevoerd) in",
    "pl": r"od(?: roku)?|(?:uruchomion[oaey]|utworzon[oaey]|założon[oaey]|rozpoczęt[oaey]|wprowadzon[oaey]) w(?: roku)?",
}
_FOUND = {code: re.compile(rf"\b(?:{words}) {_YEAR}", re.I) for code, words in _PHRASES.items()}


def derive(facts: Facts) -> Iterator[Derivation]:
    """The start year, where none is stated and all the phrases found name the same one."""
    if facts.has("startYear"):
        return
    found: dict[str, str] = {}
    for _, language, text in facts.texts(TITLE, DESCRIPTION):
        pattern = _FOUND.get((language or "en").split("-")[0])
        for match in pattern.finditer(text) if pattern else ():
            found.setdefault(match["year"], match.group())
    ends = {term.value[:4] for term in facts.values.get(facts.ns + "endYear", ())}
    if len(found) == 1:
        ((year, words),) = found.items()
        if all(year <= end for end in ends):
            year_term = ox.Literal(year, datatype=_GYEAR)
            yield Derivation(facts.iri, facts.ns + "startYear", year_term, METHOD, CONFIDENCE, words)
