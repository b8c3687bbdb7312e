"""The language of texts that have none, or that are in another than their tag says."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pyoxigraph as ox

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import DCT, DESCRIPTION, TITLE, Facts
from dhu_graph.ontology import EU_LANGUAGES, Ontology

UNTAGGED, CONTRADICTED = "language-of-untagged-text", "language-against-tag"
CONFIDENCE = {UNTAGGED: 0.9, CONTRADICTED: 0.8}
SHORTEST = 60
"""Characters below which a text tells too little."""
SURE = {UNTAGGED: 0.95, CONTRADICTED: 0.99}
_KNOWN = (*EU_LANGUAGES, "no", "is", "uk", "tr")
_SCHEME = "http://publications.europa.eu/resource/authority/language"
_KIN = ({"no", "nb", "nn", "da", "sv"}, {"hr", "sl", "sr", "bs"}, {"cs", "sk"}, {"es", "pt", "gl", "ca"})
"""Languages that are easily taken for each other: one of them never contradicts a tag of another."""


class Languages:
    """Tells the language of a text with py3langid, among the 24 of the Union, Norwegian, Icelandic, Ukrainian, Turkish."""

    def __init__(self, ontology: Ontology) -> None:
        found = ((code, ontology.concept(_SCHEME, code)) for code in _KNOWN)
        self._iris = {code: iri for code, iri in found if iri}

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        identifier.set_languages(list(_KNOWN))
        return identifier

    def of(self, text: str) -> tuple[str, float]:
        """(language, how sure, 0 to 1, and 0 where the next one is not far behind)."""
        (first, sure), (_, next_sure) = self._identifier.rank(text)[:2]
        return first, float(sure) if sure - next_sure > 0.5 else 0.0

    def derive(self, facts: Facts) -> Iterator[Derivation]:
        """The language of the resource's texts, where it states none and all texts that need it agree."""
        if facts.has(DCT + "language"):
            return
        found: dict[str, tuple[str, str]] = {}
        for _, tag, text in facts.texts(TITLE, DESCRIPTION):
            if len(text) < SHORTEST:
                continue
            language, sure = self.of(text)
            code = tag.split("-")[0].lower()
            method = CONTRADICTED if code else UNTAGGED
            if sure < SURE[method] or language == code or any({language, code} <= kin for kin in _KIN):
                continue
            found.setdefault(language, (method, text))
        if len(found) == 1:
            ((language, (method, text)),) = found.items()
            if iri := self._iris.get(language):
                object = ox.NamedNode(iri)
                yield Derivation(facts.iri, DCT + "language", object, method, CONFIDENCE[method], text)
