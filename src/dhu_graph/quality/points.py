"""The points of the metadata quality assessment of data.europa.eu that apply to a source as a data set.

Indicators and points: https://data.europa.eu/mqa/methodology. `docs/quality.md` says which do not apply, and why.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dhu_graph.ontology import DCT
from dhu_graph.quality.content import Content

_OFFICIAL = "http://publications.europa.eu/resource/authority/licence/"
_OPEN = frozenset({"csv", "json", "jsonl", "jsonstat", "rdf", "xml", "yaml"})
"""Formats of `source.toml` that no one owns; xlsx is the format of one product."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator with the points that it gives, and whether the source meets it."""

    dimension: str
    name: str
    points: int
    met: bool


def indicators(source: Content, formats: Collection[str]) -> Iterator[Indicator]:
    """The indicators that apply. `formats` are those of the files of the source; without any, none of the files is judged."""
    said = {predicate: value for predicate, value in source.about}
    names = {predicate.rsplit("#", 1)[-1].rsplit("/", 1)[-1] for predicate in said}
    # What the resources say, a catalogue of the radar can say of the source: of what, where and when.
    yield Indicator("findability", "dcat:keyword", 30, "keyword" in names or source.keywords > 0)
    yield Indicator("findability", "dcat:theme", 30, "theme" in names or bool(source.themes))
    yield Indicator("findability", "dct:spatial", 20, "spatial" in names or bool(source.countries))
    yield Indicator("findability", "dct:temporal", 20, "temporal" in names or source.dated)
    if formats:
        yield Indicator("interoperability", "dct:format", 20, True)
        yield Indicator("interoperability", "non-proprietary", 20, _OPEN.issuperset(formats))
        yield Indicator("interoperability", "machine-readable", 20, True)
    licence = said.get(DCT + "license", "")
    yield Indicator("reusability", "dct:license", 20, bool(licence))
    yield Indicator("reusability", "licence-of-the-table", 10, licence.startswith(_OFFICIAL))
    yield Indicator("reusability", "dct:accessRights", 10, "accessRights" in names)
    yield Indicator(
        "reusability",
        "access-rights-of-the-table",
        5,
        "authority/access-right/" in said.get(DCT + "accessRights", ""),
    )
    yield Indicator("reusability", "dct:publisher", 10, bool({"publisher", "publisherName"} & names))
    yield Indicator("contextuality", "dct:rights", 5, "rights" in names)
    yield Indicator("contextuality", "dct:issued", 5, "issued" in names)
    yield Indicator("contextuality", "dct:modified", 5, "modified" in names)
