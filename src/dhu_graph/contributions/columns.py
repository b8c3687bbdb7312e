"""The columns that a contributor fills in: which there are stands here, what each takes comes from shapes and ontology.

A key names a column for machines, in every language alike: `title`, `lead.name`, `need-2.side`. A group with a number may be
repeated up to MOST times; the template offers the first few.
"""

import re
from dataclasses import dataclass, replace
from functools import cache

import pyoxigraph as ox

from dhu_graph import ontology as ontology_module
from dhu_graph.ontology import RDFS, SH, Ontology

MOST = 20
_XSD = "http://www.w3.org/2001/XMLSchema#"
_KEY = re.compile(r"(?:([a-z]+)(?:-([1-9][0-9]?))?\.)?([a-z_]+)")

LAYOUT: tuple[tuple[str, str, str, int], ...] = (
    # key, property, property that leads to the part it stands on, how often the template offers the group
    ("id", "dct:identifier", "", 1),
    ("kind", "rdf:type", "", 1),
    ("language", "dct:language", "", 1),
    ("title", "dct:title", "", 1),
    ("description", "dct:description", "", 1),
    ("countries", "dct:spatial", "", 1),
    ("regions", "dct:spatial", "", 1),
    ("region_name", "dhu:regionName", "", 1),
    ("scope", "dhu:scope", "", 1),
    ("themes", "dcat:theme", "", 1),
    ("technologies", "dhu:technology", "", 1),
    ("target_groups", "dhu:targetGroup", "", 1),
    ("audiences", "dhu:audience", "", 1),
    ("care_settings", "dhu:careSetting", "", 1),
    ("maturity", "dhu:maturity", "", 1),
    ("status", "dhu:statusText", "", 1),
    ("start_year", "dhu:startYear", "", 1),
    ("end_year", "dhu:endYear", "", 1),
    ("as_of", "dhu:asOf", "", 1),
    ("lead.name", "dct:title", "dhu:lead", 1),
    ("lead.kind", "dct:type", "dhu:lead", 1),
    ("lead.page", "foaf:homepage", "dhu:lead", 1),
    ("partners", "dhu:partner", "", 1),
    ("need-1.text", "dct:title", "dhu:need", 3),
    ("need-1.side", "dhu:side", "dhu:need", 3),
    ("need-1.kind", "dct:type", "dhu:need", 3),
    ("barrier-1.text", "dct:title", "dhu:barrier", 3),
    ("barrier-1.side", "dhu:side", "dhu:barrier", 3),
    ("barrier-1.kind", "dct:type", "dhu:barrier", 3),
    ("evidence-1.statement", "dct:description", "dhu:evidence", 2),
    ("evidence-1.figure", "dhu:figure", "dhu:evidence", 2),
    ("evidence-1.year", "dhu:year", "dhu:evidence", 2),
    ("funding-1.source", "dhu:funderName", "dhu:funding", 1),
    ("funding-1.amount", "dhu:amount", "dhu:funding", 1),
    ("funding-1.currency", "dhu:currency", "dhu:funding", 1),
    ("legal", "dhu:legalBasis", "", 1),
    ("standards", "dhu:standard", "", 1),
    ("licence", "dhu:licenceText", "", 1),
    ("page", "dcat:landingPage", "", 1),
    ("contact", "dhu:contactPage", "", 1),
    ("sources", "dhu:citation", "", 1),
)
LEFT_OUT = {
    "dhu:uptake": "a figure of use has seven parts; it is named as evidence, or comes with a source of its own",
    "dhu:maturityAssessment": "made from maturity and status",
    "dhu:technologyText": "made from the words under technologies",
    "dhu:pagesRead": "the day on which the radar's own people read the pages",
    "dhu:side": "belongs to needs and barriers, not to what is described",
}
"""Properties of what is described that no column stands for, with the reason."""
_FORMS = {
    "kind": "kind",
    "language": "language",
    "countries": "country",
    "regions": "region",
    "technologies": "known",
    "funding-1.currency": "currency",
    "sources": "web",
    "contact": "web",
}
_LISTS = {"region_name", "partners", "legal", "standards", "sources"}
_NEEDED = {"kind", "language"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: where its value goes and what it may be.

    `form` is one of text, concept, known (a concept, or free words), kind, language, country, region, currency, year,
    number and web. `required` counts within the group where the column belongs to one.
    """

    key: str
    group: str
    number: int
    field: str
    path: str
    node: str
    via: str
    form: str = "text"
    scheme: str = ""
    required: bool = False
    several: bool = False
    shortest: int = 0
    longest: int = 0
    message: str = ""

    @property
    def place(self) -> str:
        """The group with its number, `need-2`; nothing for a column of the resource itself."""
        return f"{self.group}-{self.number}" if self.number else self.group


@dataclass(frozen=True, slots=True)
class Rule:
    """What the shapes say of one property of one class, taken together."""

    required: bool = False
    single: bool = False
    shortest: int = 0
    longest: int = 0
    scheme: str = ""
    datatype: str = ""
    web: bool = False
    message: str = ""


def columns(ontology: Ontology) -> tuple[Column, ...]:
    """The columns of the template, in its order."""
    found: list[Column] = []
    for key, _, _, times in LAYOUT:
        first = _columns(ontology.base)[key]
        if first.number:
            # All columns of a group stand together: the group is written out when its first column is reached.
            if not any(c.group == first.group for c in found):
                same = [c for c in _columns(ontology.base).values() if c.group == first.group]
                found += [_numbered(c, n) for n in range(1, times + 1) for c in same]
        else:
            found.append(first)
    return tuple(found)


def column(ontology: Ontology, key: str) -> Column | None:
    """The column of a key, also of a group that the template does not repeat so often; None where there is none."""
    parts = _KEY.fullmatch(key)
    if not parts:
        return None
    group, number, field = parts.groups()
    first = _columns(ontology.base).get(f"{group}-1.{field}" if number else key)
    if first is None or not number:
        return first
    return _numbered(first, int(number)) if int(number) <= MOST else None


def described(ontology: Ontology) -> list[str]:
    """The classes that a contribution may be of, in the order of the shapes."""
    shapes = _shapes(ontology)
    node = ox.NamedNode(ontology.iri("shapes#Described"))
    targets = shapes.quads_for_pattern(node, ox.NamedNode(SH + "targetClass"), None)
    classes = {str(getattr(q.object, "value", "")) for q in targets}
    order = [iri for iri in ontology.kinds if iri in classes]
    return sorted(order, key=lambda iri: ontology.shapes.find("dhu:" + iri.rsplit("#", 1)[-1]))


def rules(ontology: Ontology, kind: str) -> dict[str, Rule]:
    """What the shapes say of a class, by property; only what keeps a record out counts."""
    shapes, found = _shapes(ontology), dict[str, Rule]()
    target = shapes.quads_for_pattern(None, ox.NamedNode(SH + "targetClass"), ox.NamedNode(kind))
    for node in sorted((q.subject for q in target), key=str):
        for prop in shapes.quads_for_pattern(node, ox.NamedNode(SH + "property"), None):
            facts = _facts(shapes, prop.object)
            if facts.get("severity", "").endswith("Warning") or "path" not in facts:
                continue
            before = found.get(facts["path"], Rule())
            found[facts["path"]] = _joined(before, facts, ontology)
    return found


def iri(ontology: Ontology, name: str) -> str:
    """`dhu:scope` → the IRI of the property under the base of this radar."""
    prefix, _, local = name.partition(":")
    return ontology.prefixes[prefix] + local


@cache
def _columns(base: str) -> dict[str, Column]:
    ontology = ontology_module.load(base)
    top = rules(ontology, ontology.iri("ns#GoodPractice"))
    found: dict[str, Column] = {}
    for key, name, via, _ in LAYOUT:
        path = iri(ontology, name)
        kind = _range(ontology, iri(ontology, via)) if via else ""
        rule = (rules(ontology, kind) if via else top).get(path, Rule())
        group, number, field = _KEY.fullmatch(key).groups()  # type: ignore[union-attr]
        form = _FORMS.get(key) or _form(rule)
        listed = form in ("concept", "known", "country", "region")
        found[key] = Column(
            key,
            group or "",
            int(number or 0),
            field,
            path,
            kind,
            iri(ontology, via) if via else "",
            form,
            "technology" if form == "known" else rule.scheme,
            rule.required or key in _NEEDED,
            not rule.single if listed else key in _LISTS,
            rule.shortest,
            rule.longest,
            rule.message,
        )
    return found


def _numbered(column: Column, number: int) -> Column:
    return replace(column, number=number, key=f"{column.group}-{number}.{column.field}")


def _form(rule: Rule) -> str:
    if rule.scheme:
        return "concept"
    if rule.datatype in (_XSD + "gYear", _XSD + "decimal"):
        return "year" if rule.datatype.endswith("gYear") else "number"
    return "web" if rule.web else "text"


def _joined(before: Rule, facts: dict[str, str], ontology: Ontology) -> Rule:
    scheme = re.match(
        rf"\^?{re.escape(ontology.base)}vocab/([a-z-]+)/", facts.get("pattern", facts.get("in", ""))
    )
    return Rule(
        before.required or int(facts.get("minCount", 0)) > 0,
        before.single or facts.get("maxCount") == "1",
        max(before.shortest, int(facts.get("minLength", 0))),
        max(before.longest, int(facts.get("maxLength", 0))),
        scheme.group(1) if scheme else before.scheme,
        facts.get("datatype", before.datatype),
        before.web or facts.get("pattern", "").startswith("^https?"),
        before.message or facts.get("message", ""),
    )


def _facts(shapes: ox.Store, shape: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> dict[str, str]:
    """The constraints of a property shape by name; of `sh:in` the first member."""
    found: dict[str, str] = {}
    if isinstance(shape, ox.NamedNode):
        for quad in shapes.quads_for_pattern(shape, None, None):
            name, value = quad.predicate.value.removeprefix(SH), quad.object
            if isinstance(value, ox.BlankNode):
                first = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#first")
                value = next(q.object for q in shapes.quads_for_pattern(value, first, None))
            found[name] = str(getattr(value, "value", ""))
    return found


def _range(ontology: Ontology, path: str) -> str:
    quads = ontology.store.quads_for_pattern(ox.NamedNode(path), ox.NamedNode(RDFS + "range"), None, None)
    return next(str(getattr(q.object, "value", "")) for q in quads)


def _shapes(ontology: Ontology) -> ox.Store:
    return _loaded(ontology.shapes)


@cache
def _loaded(shapes: str) -> ox.Store:
    store = ox.Store()
    store.load(shapes.encode(), ox.RdfFormat.TURTLE)
    return store
