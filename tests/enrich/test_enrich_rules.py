"""Each family of rules on invented texts: what it finds, and what it must not."""

from collections.abc import Iterator

import pyoxigraph as ox
import pytest

from dhu_graph.enrich import Derivation, Facts, Rules, money, years
from dhu_graph.enrich.facts import ALTERNATIVE, DCT, DESCRIPTION, SPATIAL, THEME, TITLE
from dhu_graph.ontology import OP_COUNTRY, RDF_TYPE, Ontology

BASE = "https://w3id.org/dhu/"
NS, NUTS = BASE + "ns#", "http://data.europa.eu/nuts/code/"


@pytest.fixture(scope="module")
def rules(ontology: Ontology) -> Rules:
    return Rules(ontology)


def facts(kind: str = "GoodPractice", **values: list[ox.NamedNode | ox.Literal]) -> Facts:
    """`title=[…]` is dct:title; other names are those of our namespace unless listed here."""
    known = {"title": TITLE, "alternative": ALTERNATIVE, "description": DESCRIPTION, "spatial": SPATIAL}
    known |= {"theme": THEME, "language": DCT + "language"}
    held = {known.get(name, NS + name): found for name, found in values.items()}
    return Facts(BASE + "id/practice/x", NS, {RDF_TYPE: [ox.NamedNode(NS + kind)], **held})


def text(words: str, language: str | None = "en") -> list[ox.NamedNode | ox.Literal]:
    return [ox.Literal(words, language=language) if language else ox.Literal(words)]


def iri(*values: str) -> list[ox.NamedNode | ox.Literal]:
    return [ox.NamedNode(value) for value in values]


def told(found: Iterator[Derivation]) -> dict[str, str]:
    return {one.object.value: one.method for one in found}


# ------------------------------------------------------------------------------------------------ regions


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("AUT", "Tirol", "AT33"),
        ("AUT", "karnten", "AT21"),
        ("SWE", "Västerbotten", "SE331"),
        ("DEU", "Tirol", None),
        ("AUT", "Nowhere", None),
        ("AUT", "Tirol and Vorarlberg", None),
    ],
)
def test_a_region_goes_by_its_whole_name_in_its_country(
    rules: Rules, country: str, name: str, code: str | None
) -> None:
    one = facts(spatial=iri(f"{OP_COUNTRY}/{country}"), regionName=text(name, None))
    assert told(rules.regions.derive(one, {})) == ({NUTS + code: "region-name"} if code else {})


def test_the_lead_names_the_region_unless_it_acts_for_the_country(rules: Rules) -> None:
    lead, italy = BASE + "id/organisation/l", iri(f"{OP_COUNTRY}/ITA")
    organisation = Facts(
        lead, NS, {RDF_TYPE: iri(NS + "Organisation"), TITLE: text("Regione Lombardia", None)}
    )
    leads = rules.leads([organisation])
    assert leads == {lead: "Regione Lombardia"}
    assert told(rules.regions.derive(facts(spatial=italy, lead=iri(lead)), leads)) == {
        NUTS + "ITC4": "region-of-lead"
    }
    wide = facts(spatial=italy, lead=iri(lead), scope=iri(BASE + "vocab/scope/national"))
    assert told(rules.regions.derive(wide, leads)) == {}


def test_no_region_beside_a_stated_one_nor_against_the_words_of_the_source(rules: Rules) -> None:
    austria = f"{OP_COUNTRY}/AUT"
    stated = facts(spatial=iri(austria, NUTS + "AT13"), title=text("Telecare in Tirol"))
    unknown = facts(spatial=iri(austria), title=text("Telecare in Tirol"), regionName=text("Alps", None))
    several = facts(spatial=iri(austria, f"{OP_COUNTRY}/ITA"), title=text("Telecare in Tirol"))
    for one in (stated, unknown, several):
        assert told(rules.regions.derive(one, {})) == {}
    plain = facts(spatial=iri(austria), title=text("Telecare in Tirol"))
    assert told(rules.regions.derive(plain, {})) == {NUTS + "AT33": "region-in-title"}


def test_a_region_that_bears_the_name_of_its_country_is_none(rules: Rules) -> None:
    assert rules.regions.within("Fondation Suisse, Luxembourg, Malta") == []


# ------------------------------------------------------------------------------------------------ themes


def test_a_title_gives_a_theme_and_one_word_of_a_description_does_not(rules: Rules) -> None:
    theme = BASE + "vocab/theme/telemonitoring"
    assert told(rules.themes.derive(facts(title=text("Télésurveillance médicale à domicile", "fr")))) == {
        theme: "theme-in-title"
    }
    once = facts(title=text("A home"), description=text("It uses telemonitoring. Telemonitoring helps."))
    assert told(rules.themes.derive(once)) == {}
    twice = facts(title=text("A home"), description=text("Telemonitoring, or remote patient monitoring."))
    assert told(rules.themes.derive(twice)) == {theme: "theme-in-text"}


def test_words_are_whole_and_of_the_language_and_capitals_count(rules: Rules) -> None:
    for words, language in (("Program telemonitoringu", "pl"), ("Retelemonitoring", "en"), ("ehr", "en")):
        assert told(rules.themes.derive(facts(title=text(words, language)))) == {}
    assert told(rules.themes.derive(facts(title=text("One EHR for all")))) == {
        BASE + "vocab/theme/electronic-health-record": "theme-in-title"
    }


def test_a_stated_theme_gives_subject_and_code_and_no_further_theme(rules: Rules) -> None:
    one = facts(title=text("Telemonitoring"), theme=iri(BASE + "vocab/theme/telemedicine"))
    assert told(rules.themes.derive(one)) == {
        "http://eurovoc.europa.eu/6929": "eurovoc-of-theme",
        "2.4": "cdhi-of-theme",
    }
    known = facts(theme=iri(BASE + "vocab/theme/telemedicine"), cdhi=text("2.4", None))
    assert "2.4" not in told(rules.themes.derive(known))


# ------------------------------------------------------------------------------------------------ languages

GERMAN = "Ein landesweites Programm zur Fernüberwachung von Menschen mit Herzschwäche in ihrer Wohnung"
LANGUAGE = "http://publications.europa.eu/resource/authority/language/"


def test_the_language_of_a_text_without_a_tag_or_against_it(rules: Rules) -> None:
    assert told(rules.languages.derive(facts(description=text(GERMAN, None)))) == {
        LANGUAGE + "DEU": "language-of-untagged-text"
    }
    assert told(rules.languages.derive(facts(description=text(GERMAN, "en")))) == {
        LANGUAGE + "DEU": "language-against-tag"
    }


def test_short_texts_right_tags_and_stated_languages_are_left_alone(rules: Rules) -> None:
    for one in (
        facts(description=text(GERMAN[:50], None)),
        facts(description=text(GERMAN, "de")),
        facts(description=text(GERMAN, None), language=iri(LANGUAGE + "ENG")),
    ):
        assert told(rules.languages.derive(one)) == {}


# ------------------------------------------------------------------------------------------------ years


@pytest.mark.parametrize(
    ("words", "language", "year", "method"),
    [
        ("It was launched in 2020.", "en", "2020", "year-begun-in-text"),
        ("In use since 2019 in three towns", "en", "2019", "year-begun-in-text"),
        ("Running since 2019", "en", "2019", "year-since-in-text"),
        ("Läuft seit 2018", "de", "2018", "year-since-in-text"),
        ("Lancé en 2017 par la région", "fr", "2017", "year-begun-in-text"),
        ("Desde 2016 en todo el país", "es", "2016", "year-since-in-text"),
        ("Avviata nel 2015", "it", "2015", "year-begun-in-text"),
        ("Criada em 2014", "pt", "2014", "year-begun-in-text"),
        ("Opgericht in 2013", "nl", "2013", "year-begun-in-text"),
        ("Uruchomiono w 2012 r.", "pl", "2012", "year-begun-in-text"),
        ("A study of 2011 patients since 20190", "en", None, None),
        ("Launched in 2019, then since 2021 elsewhere", "en", None, None),
        ("seit 2018", "en", None, None),
    ],
)
def test_start_years(words: str, language: str, year: str | None, method: str | None) -> None:
    assert told(years.derive(facts(description=text(words, language)))) == ({year: method} if year else {})


def test_a_stated_start_or_an_earlier_end_stands_in_the_way() -> None:
    words = text("Launched in 2020")
    assert not list(years.derive(facts(title=words, startYear=text("2018", None))))
    assert not list(years.derive(facts(title=words, endYear=text("2019", None))))


# ------------------------------------------------------------------------------------------------ money


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ("a grant of EUR 2.5 million", ("2500000", "EUR")),
        ("€3m from the state", ("3000000", "EUR")),
        ("2,5 Mio. Euro vom Land", ("2500000", "EUR")),
        ("EUR 1,200,000", ("1200000", "EUR")),
        ("1.200.000,50 € du fonds", ("1200000.5", "EUR")),
        ("£ 40 000", ("40000", "GBP")),
        ("132.4 million PLN", ("132400000", "PLN")),
        ("3 milioni di euro", ("3000000", "EUR")),
        ("2 Mrd. EUR", ("2000000000", "EUR")),
    ],
)
def test_amounts_in_words(words: str, amount: tuple[str, str]) -> None:
    ((number, code, _),) = money.amounts(words)
    assert (f"{number:f}", code) == amount


@pytest.mark.parametrize(
    "words", ["Horizon 2020 (grant 857223)", "3 partners, 2.5 million people", "EUR many"]
)
def test_numbers_without_a_currency_are_no_amounts(words: str) -> None:
    assert list(money.amounts(words)) == []


def test_a_funding_with_one_amount_alone_gets_it() -> None:
    one = facts("Funding", funderName=text("State grant of EUR 2.5 million", None))
    assert {d.object.value for d in money.derive(one)} == {"2500000", money.CURRENCIES + "EUR"}
    for other in (
        facts("Funding", funderName=text("EUR 2 million and EUR 3 million", None)),
        facts("Funding", funderName=text("EUR 2 million", None), amount=text("1", None)),
        facts(funderName=text("EUR 2 million", None)),
    ):
        assert not list(money.derive(other))


# ------------------------------------------------------------------------------------------------ standards


def test_standards_go_by_their_canonical_names_and_stated_ones_are_not_repeated(rules: Rules) -> None:
    words = text("It speaks FHIR R4, codes in SNOMED CT and sends DICOM images under eIDAS.")
    found = told(rules.standards.derive(facts(description=words)))
    assert set(found) == {"HL7 FHIR", "SNOMED CT", "DICOM"}, "a law is no standard"
    stated = facts(description=words, standard=text("FHIR", None))
    assert "HL7 FHIR" not in told(rules.standards.derive(stated))
    assert told(rules.standards.derive(facts(description=text("a snomed of sorts, AFHIRE")))) == {}
