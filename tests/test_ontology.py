"""The ontology against itself, against what uses it, and against the built radar."""

import collections
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import assets
from dhu_graph import ontology as ontology_module
from dhu_graph.errors import BadInput
from dhu_graph.ontology import EU_LANGUAGES, OP_COUNTRY, RDF_TYPE, RDFS, SH, SKOS, Ontology
from dhu_graph.settings import DEFAULT_BASE

ROOT = Path(__file__).resolve().parents[1]
NS = DEFAULT_BASE + "ns#"
QB = "http://purl.org/linked-data/cube#"
TURTLE = sorted(
    path
    for folder in ("ontology", "ingest")
    for path in assets.folder(folder).rglob("*.ttl")
    if path.is_file() and not any(part.startswith("sample") for part in path.parts)
)
QUERIES = sorted(
    path for folder in ("ingest", "queries", "index") for path in assets.folder(folder).rglob("*.rq")
)
OUR_SCHEMES = [
    p.stem for p in TURTLE if p.parent.name == "vocab" and p.stem not in ("countries", "languages", "regions")
]


def named(values: Iterable[object]) -> Iterator[str]:
    return (v.value for v in values if isinstance(v, ox.NamedNode))


def objects(store: ox.Store, subject: str, predicate: str) -> list[ox.NamedNode | ox.Literal]:
    return [
        q.object for q in store.quads_for_pattern(ox.NamedNode(subject), ox.NamedNode(predicate), None, None)
    ]


@pytest.fixture(scope="module")
def terms(ontology: Ontology) -> set[str]:
    """The classes, properties and datatypes that dhu.ttl declares."""
    typed = ontology.store.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), None, None)
    return {iri for iri in named(q.subject for q in typed) if iri.startswith(NS)}


@pytest.fixture(scope="module")
def shapes(ontology: Ontology) -> ox.Store:
    store = ox.Store()
    store.load(ontology.shapes.encode(), ox.RdfFormat.TURTLE)
    return store


# ------------------------------------------------------------------------------------------------ terms


@pytest.mark.parametrize("path", TURTLE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_turtle_file_parses(path: Path) -> None:
    ox.Store().load(path.read_bytes(), ox.RdfFormat.TURTLE)


@pytest.mark.parametrize("path", TURTLE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_blank_nodes_but_in_the_lists_of_shapes(path: Path) -> None:
    """Blank nodes are others in every process: the graph would change without a change."""
    store = ox.Store()
    store.load(path.read_bytes(), ox.RdfFormat.TURTLE)
    lists = {
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#first",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest",
    }
    blank = {q.predicate.value for q in store if isinstance(q.subject, ox.BlankNode)}
    assert blank <= (lists if path.name == "shapes.ttl" else set())


def test_every_dhu_term_in_use_is_declared(terms: set[str]) -> None:
    unknown = {
        (path.name, local)
        for path in [*TURTLE, *QUERIES]
        for local in re.findall(
            rf"(?:\bdhu:|{re.escape(NS)})([A-Za-z0-9_-]+)", path.read_text(encoding="utf-8")
        )
        if NS + local not in terms
    }
    assert not unknown


def test_every_term_has_label_comment_and_alignment(ontology: Ontology, terms: set[str]) -> None:
    aligned = (RDFS + "subClassOf", RDFS + "subPropertyOf", SKOS + "closeMatch", SKOS + "exactMatch")
    above = {t: {i for p in aligned for i in named(objects(ontology.store, t, p))} for t in terms}
    for term in terms:
        languages = [label.language for label in objects(ontology.store, term, RDFS + "label")]
        assert sorted(languages) == sorted(EU_LANGUAGES), term
        assert ontology.comment(term).endswith("."), term
        assert any(not i.startswith(NS) for i in above[term]) or any(above.get(i) for i in above[term]), term


def test_kinds_are_unique_and_of_the_design(ontology: Ontology) -> None:
    assert len(set(ontology.kinds.values())) == len(ontology.kinds)
    expected = "practice solution policy funding tool training organisation programme service report need barrier observation"
    assert set(expected.split()) <= set(ontology.resource_kinds.values())
    assert not {"source", "record"} & set(ontology.resource_kinds.values())


def test_domains_hold_for_every_statement(whole_graph: ox.Store, ontology: Ontology) -> None:
    """A statement on something outside the domain would make a reasoner call it what it is not."""
    above: dict[str, set[str]] = collections.defaultdict(set)
    for q in ontology.store.quads_for_pattern(None, ox.NamedNode(RDFS + "subClassOf"), None, None):
        above[q.subject.value].add(q.object.value)
    kinds: dict[str, set[str]] = collections.defaultdict(set)
    for q in whole_graph.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), None, None):
        kinds[q.subject.value] |= {q.object.value, *above[q.object.value]}
    wrong = {
        (domain.subject.value, q.subject.value)
        for domain in ontology.store.quads_for_pattern(None, ox.NamedNode(RDFS + "domain"), None, None)
        for q in whole_graph.quads_for_pattern(None, domain.subject, None, None)
        if domain.object.value not in kinds[q.subject.value]
    }
    assert not wrong


def test_literal_ranges_hold_for_every_statement(whole_graph: ox.Store, ontology: Ontology) -> None:
    wrong = {
        (spec.subject.value, str(q.object))
        for spec in ontology.store.quads_for_pattern(None, ox.NamedNode(RDFS + "range"), None, None)
        if spec.object.value.startswith("http://www.w3.org/2001/XMLSchema#")
        for q in whole_graph.quads_for_pattern(None, spec.subject, None, None)
        if not isinstance(q.object, ox.Literal) or q.object.datatype != spec.object
    }
    assert not wrong


# ------------------------------------------------------------------------------------------------ the built graph


def test_every_predicate_of_the_built_graph_has_a_label(whole_graph: ox.Store, ontology: Ontology) -> None:
    predicates = {q.predicate.value for q in whole_graph}
    labelled = {
        q.subject.value
        for q in ontology.store.quads_for_pattern(None, ox.NamedNode(RDFS + "label"), None, None)
    }
    assert not predicates - labelled


def test_no_iri_of_ours_points_at_nothing(whole_graph: ox.Store) -> None:
    subjects = {q.subject.value for q in whole_graph if isinstance(q.subject, ox.NamedNode)}
    objects = {i for i in named(q.object for q in whole_graph) if i.startswith(DEFAULT_BASE)}
    # The base itself is the home page of the radar.
    assert objects - subjects - {DEFAULT_BASE} == set()


def test_the_built_graph_has_no_blank_nodes(whole_graph: ox.Store) -> None:
    assert not [
        q for q in whole_graph if isinstance(q.subject, ox.BlankNode) or isinstance(q.object, ox.BlankNode)
    ]


def test_every_term_has_instances_or_stands_in_gaps(whole_graph: ox.Store, terms: set[str]) -> None:
    page = (ROOT / "docs" / "gaps.md").read_text(encoding="utf-8")
    section = page.split("## In the ontology, without instances", 1)[1].split("\n## ", 1)[0]
    gaps = {NS + local for local in re.findall(r"^\| `dhu:([A-Za-z0-9-]+)` \|", section, re.MULTILINE)}
    held = {q.predicate.value for q in whole_graph}
    held |= {
        i
        for i in named(
            q.object for q in whole_graph.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), None, None)
        )
    }
    held |= {q.object.datatype.value for q in whole_graph if isinstance(q.object, ox.Literal)}
    assert terms - held == gaps


def test_the_ontology_gives_the_same_lines_in_every_process(ontology: Ontology) -> None:
    import hashlib
    import subprocess
    import sys

    code = (
        "import hashlib; from dhu_graph import ontology;"
        "print(hashlib.sha256(''.join(ontology.load().quads()).encode()).hexdigest())"
    )
    here = hashlib.sha256("".join(ontology.quads()).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert here == there


def test_the_shapes_are_valid_shacl(ontology: Ontology) -> None:
    import pyshacl
    import rdflib

    shapes = rdflib.Graph().parse(data=ontology.shapes, format="turtle")
    conforms, _, text = pyshacl.validate(rdflib.Graph(), shacl_graph=shapes, meta_shacl=True)
    assert conforms, text


# ------------------------------------------------------------------------------------------------ shapes


def test_every_shape_is_named_and_used_and_every_property_shape_says_what_to_do(shapes: ox.Store) -> None:
    typed = {
        kind: {
            q.subject
            for q in shapes.quads_for_pattern(None, ox.NamedNode(RDF_TYPE), ox.NamedNode(SH + kind), None)
        }
        for kind in ("NodeShape", "PropertyShape")
    }
    for shape in typed["NodeShape"] | typed["PropertyShape"]:
        assert isinstance(shape, ox.NamedNode) and shape.value.startswith(DEFAULT_BASE + "shapes#")
    for shape in typed["NodeShape"]:
        assert objects(shapes, shape.value, SH + "targetClass"), shape
    used = {q.object for q in shapes.quads_for_pattern(None, ox.NamedNode(SH + "property"), None, None)}
    assert used == typed["PropertyShape"]
    for shape in typed["PropertyShape"]:
        (message,) = objects(shapes, shape.value, SH + "message")
        assert isinstance(message, ox.Literal) and message.language == "en" and message.value.endswith("."), (
            shape
        )
        assert len(objects(shapes, shape.value, SH + "path")) == 1, shape


def test_every_shape_has_its_message_where_the_ingest_looks_it_up(
    shapes: ox.Store, ontology: Ontology
) -> None:
    used = {q.object.value for q in shapes.quads_for_pattern(None, ox.NamedNode(SH + "property"), None, None)}
    assert set(ontology.messages) == used
    assert {severity for _, severity in ontology.messages.values()} <= {"Violation", "Warning", "Info"}


def test_every_kind_of_resource_has_a_shape(shapes: ox.Store, ontology: Ontology) -> None:
    aimed_at = set(
        named(q.object for q in shapes.quads_for_pattern(None, ox.NamedNode(SH + "targetClass"), None, None))
    )
    assert set(ontology.resource_kinds) <= aimed_at


# ------------------------------------------------------------------------------------------------ vocabularies


@pytest.mark.parametrize("name", OUR_SCHEMES)
def test_our_schemes_are_whole(name: str, ontology: Ontology) -> None:
    scheme = f"{DEFAULT_BASE}vocab/{name}"
    store, concepts = ontology.store, ontology.schemes[scheme]
    assert concepts
    for predicate in (
        "http://purl.org/dc/terms/title",
        "http://purl.org/dc/terms/description",
        "http://purl.org/dc/terms/license",
    ):
        assert objects(store, scheme, predicate), predicate
    tops = set(named(objects(store, scheme, SKOS + "hasTopConcept")))
    codes, labels = [], []
    for concept in concepts:
        assert concept.startswith(scheme + "/"), concept
        english = [
            o for o in objects(store, concept, SKOS + "prefLabel") if getattr(o, "language", "") == "en"
        ]
        assert len(english) == 1, concept
        labels.append(english[0].value)
        plain = [o.value for o in objects(store, concept, SKOS + "notation") if str(o).endswith('"')]
        assert plain == [concept.removeprefix(scheme + "/")], concept
        codes += plain
        assert objects(store, concept, SKOS + "definition"), concept
        assert objects(store, concept, SKOS + "example"), concept
        broader = set(named(objects(store, concept, SKOS + "broader")))
        assert broader <= concepts, concept
        assert (concept in tops) == bool(objects(store, concept, SKOS + "topConceptOf")) == (not broader), (
            concept
        )
    assert len(set(codes)) == len(codes) and len(set(labels)) == len(labels)


@pytest.mark.parametrize("name", OUR_SCHEMES)
def test_a_name_of_a_scheme_leads_to_one_concept(name: str, ontology: Ontology) -> None:
    """The same label on two concepts would be settled by the alphabet."""
    scheme = f"{DEFAULT_BASE}vocab/{name}"
    owners: dict[str, set[str]] = collections.defaultdict(set)
    for concept in ontology.schemes[scheme]:
        for predicate in ("notation", "prefLabel", "altLabel", "hiddenLabel"):
            for value in objects(ontology.store, concept, SKOS + predicate):
                owners[value.value.casefold()].add(concept)
    assert {k: v for k, v in owners.items() if len(v) > 1} == {}
    for label, (concept,) in owners.items():
        assert ontology.concept(name, label) == concept


def test_the_member_list_of_maturity_holds_every_stage_once(ontology: Ontology) -> None:
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    (node,) = objects(ontology.store, DEFAULT_BASE + "vocab/maturity#stages", SKOS + "memberList")
    stages = []
    while node.value != rdf + "nil":
        stages += named(objects(ontology.store, node.value, rdf + "first"))
        (node,) = objects(ontology.store, node.value, rdf + "rest")
    assert sorted(stages) == sorted(ontology.schemes[DEFAULT_BASE + "vocab/maturity"])
    assert [ontology.notation(s) for s in stages][:3] == ["planned", "in-development", "pilot"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Greece", "GRC"),
        ("GR", "GRC"),
        ("EL", "GRC"),
        ("GRC", "GRC"),
        ("Ελλάδα", "GRC"),
        ("gb", "GBR"),
        ("UK", "GBR"),
        ("United Kingdom", "GBR"),
        ("Czech Republic", "CZE"),
        ("Czechia", "CZE"),
        ("San Marino", "SMR"),
        ("European Union", "EUR"),
        ("EU27_2020", "EUR"),
        ("XK", "1A0"),
    ],
)
def test_countries_go_by_their_codes_and_names(name: str, code: str, ontology: Ontology) -> None:
    assert ontology.concept(OP_COUNTRY, name) == f"{OP_COUNTRY}/{code}"
    assert ontology.notation(f"{OP_COUNTRY}/{code}") == code


def test_the_twenty_seven_members_are_marked(ontology: Ontology) -> None:
    members = ontology.store.quads_for_pattern(None, ox.NamedNode(NS + "memberOf"), None, None)
    assert len({q.subject.value for q in members}) == 27


def test_an_unknown_scheme_is_named(ontology: Ontology) -> None:
    with pytest.raises(BadInput, match="no concept scheme 'thmee'"):
        ontology.concept("thmee", "x")


def test_labels_fall_back_to_english_and_to_the_code(ontology: Ontology) -> None:
    assert ontology.label(f"{OP_COUNTRY}/GRC", "el") == "Ελλάδα"
    assert ontology.label(DEFAULT_BASE + "vocab/side/demand", "uk") == "Demand side"
    assert ontology.label("https://example.org/x#unknown") == "unknown"


def test_another_base_moves_everything_that_is_ours() -> None:
    moved = ontology_module.load("https://radar.example.org/")
    text = "".join(moved.quads()) + moved.shapes
    assert DEFAULT_BASE not in text
    assert moved.fingerprint != ontology_module.load().fingerprint
    assert moved.concept("theme", "telemonitoring") == "https://radar.example.org/vocab/theme/telemonitoring"
    assert moved.prefixes["dhu"] == "https://radar.example.org/ns#"
    assert set(moved.kinds.values()) == set(ontology_module.load().kinds.values())


# ------------------------------------------------------------------------------------------------ data cubes


def test_every_observation_has_each_dimension_once_and_no_two_agree(whole_graph: ox.Store) -> None:
    """Integrity constraints 11, 12 and 14 of the Data Cube recommendation, for both structures."""
    parts: dict[str, dict[str, list[str]]] = {}
    for name in ("uptake", "indicator"):
        structure = f"{DEFAULT_BASE}id/structure/{name}"
        components = list(named(objects(whole_graph, structure, QB + "component")))
        parts[structure] = {
            part: [i for c in components for i in named(objects(whole_graph, c, QB + part))]
            for part in ("dimension", "measure", "attribute")
        }
        assert parts[structure]["dimension"] and parts[structure]["measure"]
    counted = collections.Counter()
    seen: dict[tuple[object, ...], str] = {}
    for q in whole_graph.quads_for_pattern(None, ox.NamedNode(QB + "dataSet"), None, None):
        (structure,) = named(objects(whole_graph, q.object.value, QB + "structure"))
        key: list[object] = [q.object.value]
        for dimension in parts[structure]["dimension"]:
            values = objects(whole_graph, q.subject.value, dimension)
            assert len(values) == 1, (q.subject.value, dimension, values)
            key += values
        for measure in parts[structure]["measure"]:
            assert len(objects(whole_graph, q.subject.value, measure)) == 1, q.subject.value
        assert tuple(key) not in seen, (q.subject.value, seen[tuple(key)])
        seen[tuple(key)] = q.subject.value
        counted[structure.rsplit("/", 1)[1]] += 1
    assert counted == {"uptake": 405, "indicator": 219}


def test_component_properties_are_declared_as_what_they_are(ontology: Ontology) -> None:
    for part, kind in (
        ("dimension", "DimensionProperty"),
        ("measure", "MeasureProperty"),
        ("attribute", "AttributeProperty"),
    ):
        for q in ontology.store.quads_for_pattern(None, ox.NamedNode(QB + part), None, None):
            assert ox.NamedNode(QB + kind) in objects(ontology.store, q.object.value, RDF_TYPE)
