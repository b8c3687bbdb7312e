"""The query library: every question answers on the starter radar, and no parameter can become more than a value."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, queries
from dhu_graph.errors import BadInput, QueryRejected, UnknownName, UsageError
from dhu_graph.ontology import Ontology

NAMES = queries.names()
COUNTRY = "http://publications.europa.eu/resource/authority/country/"


def examples(name: str, ontology: Ontology) -> dict[str, str]:
    return {p.name: p.example for p in queries.load(name, ontology).parameters}


@pytest.mark.parametrize("name", NAMES)
def test_every_query_answers_with_its_examples(name: str, radar: Engine, ontology: Ontology) -> None:
    rows = radar.query(name, **examples(name, ontology))
    assert isinstance(rows, list) and rows


@pytest.mark.parametrize("name", NAMES)
def test_every_query_says_what_it_is(name: str, ontology: Ontology) -> None:
    query = queries.load(name, ontology)
    assert 10 <= len(query.summary) <= 80 and not query.summary.endswith(".")
    assert query.description.endswith(".") and len(query.description) > len(query.summary)
    for parameter in query.parameters:
        assert parameter.description and parameter.example and f"?_{parameter.name}" in query.text
    assert query.text.count("?_") == sum(query.text.count(f"?_{p.name}") for p in query.parameters)


@pytest.mark.parametrize("name", NAMES)
def test_every_query_gives_its_rows_in_an_order(name: str, ontology: Ontology) -> None:
    """Without an order the same question would give another table each time."""
    assert "ORDER BY" in queries.load(name, ontology).text


def test_a_country_goes_by_any_of_its_names(radar: Engine) -> None:
    answers = [
        radar.query("practices-by-country-and-theme", country=country, theme="telemonitoring")
        for country in ("Greece", "GRC", "GR", "EL", "Ελλάδα", " greece ")
    ]
    assert answers[0] and all(answer == answers[0] for answer in answers)


def test_coverage_counts_what_the_graph_holds(radar: Engine, radar_graph: ox.Store) -> None:
    rows = radar.query("coverage-by-country")
    assert isinstance(rows, list)
    counted = {str(row["country"]): int(row["resources"]) for row in rows}
    described = {
        q.subject
        for q in radar_graph.quads_for_pattern(
            None, ox.NamedNode("http://purl.org/dc/terms/description"), None, None
        )
    }
    spatial = ox.NamedNode("http://purl.org/dc/terms/spatial")
    for code in ("GRC", "EST", "MLT"):
        here = {
            q.subject
            for q in radar_graph.quads_for_pattern(None, spatial, ox.NamedNode(COUNTRY + code), None)
        }
        assert counted[COUNTRY + code] == len(here & described)


def test_the_newest_score_of_each_country_is_shown_once(radar: Engine) -> None:
    rows = radar.query("indicator-and-coverage")
    assert isinstance(rows, list)
    assert len({row["country"] for row in rows}) == len(rows) >= 27
    assert {str(row["year"]) for row in rows} == {"2025"}


def test_plans_are_no_figures_of_use(radar: Engine, radar_graph: ox.Store) -> None:
    planned = {
        q.subject.value
        for q in radar_graph.quads_for_pattern(
            None, ox.NamedNode("https://w3id.org/dhu/ns#planned"), None, None
        )
        if q.object.value == "true"
    }
    assert len(planned) == 36
    text = queries.load("uptake-figures", radar.ontology).bind({"country": "Estonia"}, radar.ontology)
    shown = radar.query(text.replace("SELECT ?resource", "SELECT ?figure ?resource"))
    assert isinstance(shown, list) and shown and not {str(row["figure"]) for row in shown} & planned


# ------------------------------------------------------------------------------------------------ wrong values


def test_wrong_names_and_missing_values_are_said(radar: Engine) -> None:
    with pytest.raises(UnknownName, match="no query 'nope'"):
        queries.load("nope", radar.ontology)
    with pytest.raises(UsageError, match="has no parameter land") as error:
        radar.query("uptake-figures", land="Greece")
    assert "country" in error.value.hint
    for value in ("", "   "):
        with pytest.raises(UsageError, match="needs country: a country") as error:
            radar.query("uptake-figures", country=value)
        assert "For example Estonia" in error.value.hint
    with pytest.raises(UsageError, match="'Atlantis' is not known"):
        radar.query("uptake-figures", country="Atlantis")


@pytest.mark.parametrize(
    "name", ["../queries/uptake-figures", "uptake-figures.rq", "UPTAKE-FIGURES", "README"]
)
def test_only_names_of_the_library_are_names(name: str, ontology: Ontology) -> None:
    with pytest.raises(UnknownName):
        queries.load(name, ontology)


HOSTILE = [
    'x"',
    "x\\",
    'x\\"',
    'DiGA")) } } INSERT DATA { <a:a> <a:b> <a:c> } #',
    'DiGA"))} UNION { ?resource ?title ?page } FILTER(("a',
    "DiGA'))",
    'DiGA"""',
    "DiGA\n} SELECT * { ?s ?p ?o",
    "DiGA\r\n\t\b\f",
    "\\u0022 )) } #",
    "\\u0022)) } UNION { ?s ?p ?o } #",
    "?_word",
    "$1 \\1 \\g<0>",
    "DiGA\u2028x",
    "DiGA\x00x",
    "<https://w3id.org/dhu/>",
    "SERVICE <http://127.0.0.1:9/> { }",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_text_is_only_a_text(value: str, ontology: Ontology) -> None:
    """The bound query means the value itself: an empty store gives it back as it came, trimmed."""
    probe = queries.Query(
        "probe", "", "", "SELECT (?_word AS ?back) WHERE { }", (queries.Parameter("word", "a", "b"),)
    )
    bound = probe.bind({"word": value}, ontology)
    (row,) = list(ox.Store().query(bound))
    assert row["back"].value == value.strip()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_text_finds_nothing_in_the_library(value: str, radar: Engine) -> None:
    try:
        assert radar.query("sources-of-resource", word=value) == []
    except QueryRejected as error:
        assert "\0" in value and "NUL" in error.detail


@pytest.mark.parametrize("value", [*HOSTILE, COUNTRY + "GRC> . ?s ?p <x"])
def test_a_hostile_value_is_no_concept(value: str, radar: Engine) -> None:
    with pytest.raises(UsageError):
        radar.query("uptake-figures", country=value)


@pytest.mark.parametrize("value", ["20211", "2021 . ?s ?p ?o", "٢٠٢١", "2021\n", "-2021", 'x"'])
def test_a_hostile_value_is_no_year(value: str, ontology: Ontology) -> None:
    probe = queries.Query(
        "probe",
        "",
        "",
        "SELECT (?_y AS ?back) WHERE { }",
        (queries.Parameter("y", "a", "2021", kind="year"),),
    )
    if value.strip() == "2021":
        assert '"2021"^^xsd:gYear' in probe.bind({"y": value}, ontology)
        return
    with pytest.raises(UsageError, match="is not a year"):
        probe.bind({"y": value}, ontology)


def test_a_parameter_whose_name_begins_like_another_is_not_touched(ontology: Ontology) -> None:
    two = (queries.Parameter("a", "", ""), queries.Parameter("ab", "", ""))
    probe = queries.Query("probe", "", "", "SELECT (?_a AS ?x) (?_ab AS ?y) WHERE { }", two)
    assert probe.bind({"a": "?_ab", "ab": "z"}, ontology) == 'SELECT ("?_ab" AS ?x) ("z" AS ?y) WHERE { }'


@pytest.mark.parametrize(
    "header", ["#+ summary = ", "#+ nothing = 'x'", "#+ summary = 'x'", "#+ parameters = 3", "SELECT"]
)
def test_a_header_that_cannot_be_read_is_named(header: str, tmp_path: Path, ontology: Ontology) -> None:
    path = tmp_path / "odd.rq"
    path.write_text(header + "\nSELECT * { ?s ?p ?o }\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"queries/odd\.rq: the #\+ header cannot be read"):
        queries.parse(path, ontology)
