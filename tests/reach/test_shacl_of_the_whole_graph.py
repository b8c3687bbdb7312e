"""The whole built graph against its shapes, by another engine than the one that let the records in."""

import gzip

import pyshacl
import rdflib

from dhu_graph import Engine


def test_the_whole_graph_conforms_by_pyshacl(whole: Engine) -> None:
    data = rdflib.Graph()
    # What each record says conforms. Of one thing told by two, both years are kept: that is a contradiction to be
    # shown, and no broken record. So the union of the source graphs is taken as it is before records are joined.
    lines = list(whole.ontology.quads())
    for path in sorted((whole.settings.data / "sources").glob("*/graph.nq.gz")):
        lines += gzip.open(path, "rt", encoding="utf-8").readlines()
    triples = "".join(line.rstrip("\n")[: line.rindex(" <")] + " .\n" for line in lines)
    data.parse(data=triples, format="nt")
    shapes = rdflib.Graph().parse(data=whole.ontology.shapes, format="turtle")
    conforms, report, text = pyshacl.validate(data, shacl_graph=shapes, inference="none", allow_warnings=True)
    assert conforms, text[:3000]
    assert len(data) > 70_000


def test_a_broken_graph_does_not_conform(whole: Engine) -> None:
    broken = rdflib.Graph().parse(
        data="@prefix dhu: <https://w3id.org/dhu/ns#> . <http://x/1> a dhu:GoodPractice .", format="turtle"
    )
    shapes = rdflib.Graph().parse(data=whole.ontology.shapes, format="turtle")
    conforms, _, _ = pyshacl.validate(broken, shacl_graph=shapes, inference="none", allow_warnings=True)
    assert not conforms
