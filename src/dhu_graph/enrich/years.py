"""A start year named in words (`since 2019`, `seit 2019`), in nine languages."""

import re
from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import DESCRIPTION, TITLE, Facts

BEGUN, SINCE = "year-begun-in-text", "year-since-in-text"
CONFIDENCE = {BEGUN: 0.95, SINCE: 0.44}
_GYEAR = ox.NamedNode("http://www.w3.org/2001/XMLSchema#gYear")
_YEAR = r"\b(?P<year>19[89]\d|20[0-4]\d)\b(?![-–/.,]?\d)"
_SINCE = {
    "en": r"since(?: the year)?",
    "de": r"seit(?: dem jahr)?",
    "fr": r"depuis(?: l.année)?",
    "es": r"desde(?: el año)?",
    "it": r"dal",
    "pt": r"desde(?: o ano(?: de)?)?",
    "nl": r"sinds",
    "pl": r"od(?: roku)?",
}
_BEGUN = {
    "en": r"(?:launched|started|established|founded|introduced|set up|created|begun|operational|in operation|in use|opened) (?:in|since)|began (?:operating )?in",
    "de": r"(?:gegründet|gestartet|eingeführt|eingerichtet)(?: im jahr)?|startete(?: im jahr)?",
    "fr": r"(?:lancée?|créée?|fondée?|mise? en place|mise? en service|démarrée?) en",
    "es": r"(?:lanzad[oa]|cread[oa]|fundad[oa]|iniciad[oa]|puest[oa] en marcha) en(?: el año)?",
    "it": r"(?:lanciat[oa]|avviat[oa]|creat[oa]|fondat[oa]|istituit[oa]|introdott[oa]) nel",
    "pt": r"(?:lançad[oa]|criad[oa]|fundad[oa]|iniciad[oa]) em",
    "nl": r"(?:gestart|opgericht|gelanceerd|ingevoerd) in",
    "pl": r"(?:uruchomion[oaey]|utworzon[oaey]|założon[oaey]|rozpoczęt[oaey]|wprowadzon[oaey]) w(?: roku)?",
}
_FOUND = {
    method: {code: re.compile(rf"\b(?:{words}) {_YEAR}", re.I) for code, words in phrases.items()}
    for method, phrases in ((BEGUN, _BEGUN), (SINCE, _SINCE))
}


def derive(facts: Facts) -> Iterator[Derivation]:
    """The start year, where none is stated and all the phrases found name the same one."""
    if facts.has("startYear"):
        return
    found: dict[str, tuple[str, str]] = {}
    for method, patterns in _FOUND.items():
        for _, language, text in facts.texts(TITLE, DESCRIPTION):
            pattern = patterns.get((language or "en").split("-")[0])
            for match in pattern.finditer(text) if pattern else ():
                found.setdefault(match["year"], (method, match.group()))
    ends = {term.value[:4] for term in facts.values.get(facts.ns + "endYear", ())}
    if len(found) == 1:
        ((year, (method, words)),) = found.items()
        if all(year <= end for end in ends):
            year_term = ox.Literal(year, datatype=_GYEAR)
            yield Derivation(facts.iri, facts.ns + "startYear", year_term, method, CONFIDENCE[method], words)
