"""An amount of money in the words of a funding → amount and currency, where it has none."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

import pyoxigraph as ox

from dhu_graph.enrich.derived import DECIMAL, Derivation
from dhu_graph.enrich.facts import DESCRIPTION, Facts

METHOD, CONFIDENCE = "amount-in-text", 0.6
CURRENCIES = "http://publications.europa.eu/resource/authority/currency/"
_SIGNS = {"€": "EUR", "£": "GBP", "euro": "EUR", "euros": "EUR", "zł": "PLN"}
_CODES = "EUR GBP PLN CZK HUF RON SEK DKK NOK CHF BGN".split()
_SCALE = {
    1_000: r"thousand|k|tsd\.?|mille|mil|tys\.?|duizend",
    1_000_000: r"million(?:en|es|s|i)?|millones|milione|milioni|milh(?:ão|ões)|miljoen|milion(?:ów|y)?|mio\.?|mln\.?|mill\.?|m",
    1_000_000_000: r"billion|milliard(?:en|s|e)?|miliard(?:i|o|ów|y)?|miljard|mrd\.?|mld\.?|bn",
}
_FACTOR = [(factor, re.compile(rf"(?:{words})", re.I)) for factor, words in _SCALE.items()]
_SIGN = r"(?P<sign{}>€|£|zł|\b(?:EUR|GBP|PLN|CZK|HUF|RON|SEK|DKK|NOK|CHF|BGN|[Ee]uros?)\b)"
_NUMBER = r"(?P<number{}>\d[\d.,\u00a0\u202f ]*\d|\d)"
_UNIT = r"(?:[ \u00a0-]?(?P<scale{}>" + "|".join(_SCALE.values()) + r")(?![^\W\d_]))?"
_BEFORE = re.compile((_SIGN + r"[ \u00a0]?" + _NUMBER + _UNIT).format("", "", ""), re.I)
_AFTER = re.compile((_NUMBER + _UNIT + r"[ \u00a0]?(?:di |de |d[’']|of )?" + _SIGN).format("", "", ""), re.I)
_GROUPED = re.compile(r"\d{1,3}(?P<mark>[., ])\d{3}(?:(?P=mark)\d{3})*(?:(?!(?P=mark))[.,]\d{1,2})?")


def amounts(text: str) -> Iterator[tuple[Decimal, str, str]]:
    """(amount, currency code, the words) of each amount with a currency in a text."""
    seen: set[int] = set()
    for match in sorted(
        (*_BEFORE.finditer(text), *_AFTER.finditer(text)), key=lambda m: (m.start(), -m.end())
    ):
        if match.start("number") in seen:
            continue
        seen.add(match.start("number"))
        sign, scale = match["sign"], match["scale"]
        code = _SIGNS.get(sign.casefold()) or (sign if sign in _CODES else None)
        number = _number(match["number"])
        if code and number:
            factor = next((f for f, words in _FACTOR if scale and words.fullmatch(scale)), 1)
            exact = (number * factor).normalize()
            yield exact, code, match.group().strip()


def _number(text: str) -> Decimal | None:
    """`2,5` and `2.5` are two and a half; `2.500.000` and `1,200,000` are grouped. None for what could be either."""
    text = re.sub(r"[\u00a0\u202f]", " ", text).strip()
    if grouped := _GROUPED.fullmatch(text):
        mark = grouped["mark"]
        text = text.replace(mark, "").replace(",", ".")
    elif re.fullmatch(r"\d+(?:[.,]\d{1,2})?", text):
        text = text.replace(",", ".")
    else:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def derive(facts: Facts) -> Iterator[Derivation]:
    """Amount and currency of a funding that states neither and whose words name one amount alone."""
    if facts.ns + "Funding" not in facts.kinds or facts.has("amount") or facts.has("currency"):
        return
    found = {
        (number, code): words
        for _, _, text in facts.texts("funderName", DESCRIPTION)
        for number, code, words in amounts(text)
    }
    if len(found) != 1:
        return
    (((number, code), words),) = found.items()
    amount = ox.Literal(f"{number:f}", datatype=ox.NamedNode(DECIMAL))
    yield Derivation(facts.iri, facts.ns + "amount", amount, METHOD, CONFIDENCE, words)
    currency = ox.NamedNode(CURRENCIES + code)
    yield Derivation(facts.iri, facts.ns + "currency", currency, METHOD, CONFIDENCE, words)
