"""Names taken apart: what is one name across languages, legal forms and ways of writing, and what is not."""

import pytest

from dhu_graph import ontology
from dhu_graph.link.mentions import Mention
from dhu_graph.link.names import Names
from dhu_graph.link.pairs import CERTAIN, DOUBTFUL, address, prepare, score

NAMES = Names(ontology.load())


def body(name: str, country: str = "", source: str = "a", kind: str = "organisation") -> Mention:
    return Mention(f"x:{source}-{name}", source, kind, (name,), countries=frozenset({country} - {""}))


def scored(left: Mention, right: Mention) -> float:
    return score(prepare(left, NAMES), prepare(right, NAMES))[0]


@pytest.mark.parametrize(
    ("left", "right", "country"),
    [
        ("Ministry of Health", "Ministerstvo zdravotnictví", "CZE"),
        ("Ministry of Health", "Υπουργείο Υγείας", "GRC"),
        ("Sundhedsministeriet", "Ministry of Health", "DNK"),
        ("gematik GmbH", "Gematik", "DEU"),
        ("Medical University of Łódź", "Medical University of Lodz", "POL"),
        ("Odense Universitetshospital", "Odense University Hospital", "DNK"),
        ("Osakidetza (Basque Health Service)", "Osakidetza", "ESP"),
        ("XYZW – Institute for Sleep", "XYZW", "AUT"),
        ("Biosistemak (formerly Kronikgune)", "Kronikgune", "ESP"),
    ],
)
def test_one_body_under_two_names_is_joined(left: str, right: str, country: str) -> None:
    assert scored(body(left, country), body(right, country, "b")) >= CERTAIN


@pytest.mark.parametrize(
    ("left", "right", "one", "other"),
    [
        ("Ministry of Health", "Ministry of Health", "CZE", "SVK"),
        ("Austrian Red Cross", "Bulgarian Red Cross", "", ""),
        ("University of Cyprus", "University of Cyprus, e-health lab", "CYP", "CYP"),
        ("RWTH Aachen University", "RWTH Aachen University Hospital", "DEU", "DEU"),
        ("University Hospital Olomouc", "University Hospital Ostrava", "CZE", "CZE"),
        ("TEHDAS consortium", "TEHDAS 2 consortium", "EUR", "EUR"),
        ("OpenIMIS", "OpenLMIS", "", ""),
    ],
)
def test_two_bodies_with_like_names_are_not_joined(left: str, right: str, one: str, other: str) -> None:
    assert scored(body(left, one), body(right, other, "b")) < CERTAIN


def test_an_abbreviation_of_the_words_waits_for_a_person() -> None:
    found = scored(body("RSCN", "EUR"), body("Reference Site Collaborative Network", "EUR", "b"))
    assert DOUBTFUL <= found < CERTAIN


def test_an_organisation_and_a_practice_are_never_one() -> None:
    assert scored(body("Kanta"), body("Kanta", kind="practice", source="b")) < DOUBTFUL


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://www.A.eu/", "a.eu"),
        ("http://a.eu/index.html", "a.eu"),
        ("https://github.com/x/y.git", "github.com/x/y"),
        ("https://a.eu/b?utm_source=z", "a.eu/b"),
        ("https://a.eu/b?id=3", "a.eu/b?id=3"),
        ("not an address", ""),
        ("http://[::1", ""),
    ],
)
def test_addresses_are_compared_in_one_form(url: str, plain: str) -> None:
    assert address(url) == plain
