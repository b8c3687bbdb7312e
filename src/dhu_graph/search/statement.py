"""A filter as the SPARQL query that states the same request, for those who go on from there."""

from collections.abc import Iterable

from dhu_graph.errors import UsageError
from dhu_graph.model import Filter
from dhu_graph.ontology import OP_COUNTRY, Ontology

NUTS = "http://data.europa.eu/nuts/code/"
_PATHS = {
    "country": "dct:spatial",
    "region": "dct:spatial",
    "theme": "dcat:theme",
    "technology": "dhu:technology",
    "maturity": "dhu:maturity",
    "target": "dhu:targetGroup",
    "audience": "dhu:audience",
    "source": "prov:wasDerivedFrom/dct:isPartOf",
}
_SCHEMES = {"target": "target-group"}


def sparql(filter: Filter, kinds: Iterable[str], ontology: Ontology) -> str:
    """Selects the resources that pass: as many as `Searcher.count` says. Raises UsageError for an unknown column.

    `kinds` are those of the documents that are searched.
    """
    lines = [f"PREFIX {name}: <{ontology.prefixes[name]}>" for name in ("dcat", "dct", "dhu", "prov")]
    lines += [
        "SELECT DISTINCT ?resource ?title WHERE {",
        "  ?resource a ?class ; dct:title ?title ; dct:description ?description .",
    ]
    lines.append(_values("class", _classes(filter, set(kinds), ontology)))
    for number, (column, values) in enumerate(sorted(filter.columns.items())):
        name = f"{column}{number}"
        if column == "year":
            lines.append(f"  ?resource dhu:startYear ?{name} .")
            lines.append(f"  FILTER({' || '.join(_year(name, value) for value in sorted(values))})")
        elif column == "language":
            tests = (
                f'LANGMATCHES(LANG(?title), "{value}")'
                for value in sorted(values)
                if value.replace("-", "").isalnum()
            )
            lines.append(f"  FILTER({' || '.join(tests)})")
        elif column in _PATHS:
            lines.append(f"  ?resource {_PATHS[column]} ?{name} .")
            lines.append(_values(name, [_iri(column, value, ontology) for value in sorted(values)]))
        elif column != "kind":
            raise UsageError(f"There is no filter {column!r}.")
    return "\n".join([*lines, "}"])


def _classes(filter: Filter, kinds: set[str], ontology: Ontology) -> list[str]:
    wanted = filter.columns.get("kind", kinds)
    return [iri for iri, kind in sorted(ontology.resource_kinds.items()) if kind in wanted]


def _iri(column: str, value: str, ontology: Ontology) -> str:
    if column == "country":
        return ontology.concept(OP_COUNTRY, value) or f"{OP_COUNTRY}/{value}"
    if column == "region":
        return NUTS + value
    if column == "source":
        return ontology.iri(f"id/source/{value}")
    return ontology.concept(_SCHEMES.get(column, column), value) or ontology.iri(f"vocab/{column}/{value}")


def _year(name: str, value: str) -> str:
    first, dash, last = value.partition("-")
    tests = [f'STR(?{name}) >= "{first}"'] if first.isdigit() else []
    tests += (
        [f'STR(?{name}) <= "{last or first}"'] if (last or not dash) and (last or first).isdigit() else []
    )
    return f"({' && '.join(tests) or 'true'})"


def _values(name: str, iris: list[str]) -> str:
    safe = [iri for iri in iris if not set(iri) & set('<>"{}|\\^` \n')]
    return f"  VALUES ?{name} {{ {' '.join(f'<{iri}>' for iri in safe)} }}"
