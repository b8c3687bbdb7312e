"""The figures as rows for people: one row a figure, or one row a source."""

from collections.abc import Iterable

import pyoxigraph as ox

from dhu_graph.ontology import SKOS, Ontology
from dhu_graph.quality.measurement import SCHEME, Measurement

COLUMNS = ("source", "measure", "about", "value", "most", "checked")
SUMMARY = (
    *("source", "resources", "lead", "theme", "as of", "countries", "EU without", "quarantined", "notes"),
    *("joined", "waiting", "points", "broken links"),
)
_DIMENSIONS = (
    *("completeness", "freshness", "conformity", "uniqueness", "coverage"),
    *("findability", "accessibility", "interoperability", "reusability", "contextuality"),
)
"""In the order in which they are shown."""


def rows(figures: Iterable[Measurement], ontology: Ontology) -> list[dict[str, object]]:
    """One row a figure: source, codes of dimension and metric, label, what it is about, value; in reading order."""
    found: list[dict[str, object]] = []
    for figure in figures:
        iri = ontology.iri(SCHEME + figure.metric)
        dimension = ontology.notation(_broader(iri, ontology))
        about = ", ".join([figure.part or figure.year, *map(ontology.label, figure.places)]).strip(", ")
        found.append(
            {
                "source": figure.source,
                "dimension": dimension,
                "metric": figure.metric,
                "measure": ontology.label(iri),
                "about": about,
                "value": figure.value,
                "most": figure.most,
                "checked": figure.checked or None,
            }
        )
    return sorted(found, key=lambda row: (str(row["source"]), _DIMENSIONS.index(str(row["dimension"]))))


def summary(figures: Iterable[Measurement]) -> list[dict[str, object]]:
    """One row a source, with the figures that tell most."""
    by_source: dict[str, dict[str, Measurement]] = {}
    points: dict[str, list[int]] = {}
    for figure in figures:
        held = by_source.setdefault(figure.source, {})
        if not figure.part and not figure.year:
            held[figure.metric] = figure
            if figure.metric.endswith("-points"):
                reached = points.setdefault(figure.source, [0, 0])
                reached[0] += int(figure.value)
                reached[1] += figure.most or 0
    names = {
        "resources": "resources",
        "lead": "with-lead",
        "theme": "with-theme",
        "as of": "as-of-median",
        "countries": "countries",
        "EU without": "eu-countries-without",
        "quarantined": "records-quarantined",
        "notes": "notes",
        "joined": "things-joined",
        "waiting": "pairs-waiting",
    }
    found: list[dict[str, object]] = []
    for source, held in sorted(by_source.items()):
        row: dict[str, object] = {"source": source}
        row |= {name: held[metric].value for name, metric in names.items() if metric in held}
        row["points"] = "{} of {}".format(*points.get(source, (0, 0)))
        if broken := held.get("links-broken"):
            row["broken links"] = f"{broken.value} of {broken.most} ({broken.checked[:10]})"
        found.append(row)
    return found


def _broader(iri: str, ontology: Ontology) -> str:
    above = ontology.store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(SKOS + "broader"), None, None)
    return next((str(getattr(quad.object, "value", iri)) for quad in above), iri)
