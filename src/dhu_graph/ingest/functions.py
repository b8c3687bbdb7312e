"""The functions that a map may call, as `fn:country(?name)`.

A function that cannot answer leaves its variable unbound, so the triple is missing; each such failure is noted, and the
report names the record. `iri` and `node` mint: whatever is a subject in a map must come from one of them.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from urllib.parse import quote, urlsplit

import pyoxigraph as ox

from dhu_graph.ingest.facade import NODE
from dhu_graph.ontology import OP_COUNTRY, Ontology

FN = "urn:dhu:fn:"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_YEARS = "http://reference.data.gov.uk/id/gregorian-year/"
_CURRENCY = "http://publications.europa.eu/resource/authority/currency/"
_BLANK = re.compile(r"[\s\u00a0\u200b\ufeff]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
# What `web` would leave as it is: no name or port before the path, no character that needs escaping.
_SAFE = re.compile(r"https?://[A-Za-z0-9.-]*[A-Za-z0-9](?:[/?][A-Za-z0-9%/:=&?~#+!$,;'@()*._-]*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Term = ox.NamedNode | ox.Literal | ox.BlankNode | ox.Triple
Failure = tuple[str, str]


class Functions:
    """The functions of one source; `failures` collects (function, value) until it is taken."""

    def __init__(self, ontology: Ontology, source: str) -> None:
        self._ontology = ontology
        self._source = source
        self.failures: list[Failure] = []
        self._known: list[dict[tuple[Term, ...], Term | None]] = []

    def table(self) -> dict[ox.NamedNode, Callable[..., Term | None]]:
        """What pyoxigraph takes as `custom_functions`."""
        known: dict[str, Callable[..., str | Term | None]] = {
            "iri": self.iri,
            "node": self.node,
            "concept": self.concept,
            "known": self.concept,
            "country": self.country,
            "region": self.region,
            "year": self.year,
            "date": self.date,
            "period": self.period,
            "decimal": self.decimal,
            "web": self.web,
            "text": self.text,
            "currency": self.currency,
        }
        return {ox.NamedNode(FN + name): self._guarded(name, function) for name, function in known.items()}

    def iri(self, record: str, kind: str, *parts: str) -> Term:
        """`fn:iri(?r, "practice", ?id)`: the resource of that kind with this identifier in this source.

        Several parts are joined. Parts that are no plain identifiers are slugged and get a digest, so that
        `Health Service` and `health-service` stay two.
        """
        words = [self._source, *(part for part in parts if part)]
        return self._minted(record, f"{self._ontology.base}id/{kind}/{slug_of(words)}")

    def node(self, parent: str, kind: str, *parts: str) -> Term:
        """`fn:node(?resource, "evidence", ?text)`: a part of a resource, told from others by its content."""
        digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:10]
        return ox.NamedNode(f"{parent}#{kind}-{digest}")

    def concept(self, scheme: str, name: str) -> str | None:
        """`fn:concept("theme", ?word)`: the concept that goes by this code or label.

        `fn:known` does the same for free words of which many have no concept, and notes no failure.
        """
        return self._ontology.concept(scheme, name)

    def country(self, name: str) -> str | None:
        """`fn:country("Belgium")`, `fn:country("BE")`, `fn:country("EL")`: the country in the EU table."""
        return self._ontology.concept(OP_COUNTRY, _BLANK.sub(" ", name))

    def region(self, code: str) -> str | None:
        """`fn:region("EL30")`: the NUTS region of that code."""
        iri = f"http://data.europa.eu/nuts/code/{code.strip()}"
        return iri if any(iri in members for members in self._ontology.schemes.values()) else None

    def year(self, value: str) -> Term | None:
        """`fn:year("2021.0")`: `"2021"^^xsd:gYear`, from a year or from a date that begins with one."""
        found = _year(value)
        return ox.Literal(found, datatype=ox.NamedNode(_XSD + "gYear")) if found else None

    def date(self, value: str) -> Term | None:
        """`fn:date("2022-11-15")`: an xsd:date, xsd:gYearMonth or xsd:gYear, as precise as the value is."""
        text = value.strip()
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", text):
                return ox.Literal(
                    date.fromisoformat(text[:10]).isoformat(), datatype=ox.NamedNode(_XSD + "date")
                )
            if re.fullmatch(r"\d{4}-\d{2}", text):
                date(int(text[:4]), int(text[5:]), 1)
                return ox.Literal(text, datatype=ox.NamedNode(_XSD + "gYearMonth"))
        except ValueError:
            return None
        return self.year(text)

    def period(self, value: str) -> str | None:
        """`fn:period("2021")`: the calendar year as an IRI; `fn:period("")`: the concept that says it was not stated."""
        found = _year(value)
        if found:
            return _YEARS + found
        return None if value.strip() else self._ontology.iri("vocab/period/not-stated")

    def decimal(self, value: str) -> Term | None:
        """`fn:decimal("1.5e3")`: an xsd:decimal written plainly, `1500`."""
        text = value.strip()
        # Decimal() would also take underscores, digits of other scripts and NaN.
        if not _NUMBER.fullmatch(text) or abs((number := Decimal(text)).adjusted()) > 30:
            return None
        plain = format(number, "f")
        if "." in plain:
            plain = plain.rstrip("0").rstrip(".")
        plain = plain.removeprefix("+") if number else "0"
        return ox.Literal(plain, datatype=ox.NamedNode(_XSD + "decimal"))

    def web(self, value: str) -> str | None:
        """`fn:web(" https://a.eu/x y ")`: a web address made safe, or nothing where it is none."""
        text = _BLANK.sub(" ", value).strip(" ,;")
        if _SAFE.fullmatch(text):
            return text
        try:
            parts = urlsplit(text)
            if (
                parts.scheme.lower() not in ("http", "https")
                or not parts.hostname
                or parts.username
                or parts.password
            ):
                return None
            _ = parts.port
        except ValueError:
            return None
        text = parts.scheme.lower() + text[len(parts.scheme) :]
        # What an IRI may not hold is escaped; what is escaped already stays as it is.
        return quote(text, safe="%/:=&?~#+!$,;'@()*[]-._") if text.isascii() else _escaped(text)

    def text(self, value: str) -> Term | None:
        """`fn:text(?x)`: the text without control characters and with single blanks; nothing where nothing is left."""
        if value.isascii() and value.isprintable() and "  " not in value:
            clean = value.strip()
        else:
            clean = _BLANK.sub(" ", _CONTROL.sub("", unicodedata.normalize("NFC", value))).strip()
        return ox.Literal(clean) if clean else None

    def currency(self, code: str) -> str | None:
        """`fn:currency("EUR")`: the currency in the EU table."""
        return _CURRENCY + code.strip().upper() if re.fullmatch(r"[A-Za-z]{3}", code.strip()) else None

    def _minted(self, record: str, iri: str) -> Term:
        # The number of the record travels inside the IRI, so that each triple of a batch can be given back to its record.
        number = record.removeprefix(NODE).split("/", 1)[0]
        return ox.NamedNode(f"{NODE}{number}:{iri}")

    def _guarded(self, name: str, function: Callable[..., str | Term | None]) -> Callable[..., Term | None]:
        known: dict[tuple[Term, ...], Term | None] = {}
        self._known.append(known)

        def call(*terms: Term) -> Term | None:
            # A branch that needs ?s mints it again for every row: most calls repeat an earlier one of the batch.
            if terms in known:
                return known[terms]
            values = [str(getattr(term, "value", term)) for term in terms]
            try:
                found = function(*values)
            except Exception as error:  # the engine would swallow it and only leave the variable unbound
                self.failures.append((f"{name} ({error})", values[-1] if values else ""))
                return None
            if found is None and name != "known" and values and values[-1].strip():
                self.failures.append((name, values[-1]))
            term = ox.NamedNode(found) if isinstance(found, str) else found
            known[terms] = term
            return term

        return call

    def forget(self) -> None:
        """Begins a new batch: no failures, and nothing remembered, since the numbers of records begin anew."""
        self.failures = []
        for known in self._known:
            known.clear()


def slug_of(words: list[str]) -> str:
    joined = "-".join(words)
    if len(joined) <= 120 and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", joined):
        return joined
    plain = unicodedata.normalize("NFKD", joined).encode("ascii", "ignore").decode().lower()
    head = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].rstrip("-")
    return f"{head}-{hashlib.sha256(joined.encode()).hexdigest()[:8]}"


def _year(value: str) -> str | None:
    found = re.fullmatch(r"\s*(\d{4})(\.0+)?(-\d{2}(-\d{2}.*)?)?\s*", value)
    return found.group(1) if found and 1000 <= int(found.group(1)) else None


def _escaped(text: str) -> str:
    """Letters beyond ASCII may stand in an IRI; blanks, brackets, controls and unassigned characters may not."""
    return "".join(
        c if c.isalnum() or c in "%/:=&?~#+!$,;'@()*[]-._" else quote(c)
        for c in unicodedata.normalize("NFC", text)
    )
