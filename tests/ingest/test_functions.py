"""The functions that maps call: what they answer, and that a failure is told and never silent."""

import pyoxigraph as ox
import pytest

from dhu_graph.ingest.facade import NODE
from dhu_graph.ingest.functions import FN, Functions
from dhu_graph.ontology import OP_COUNTRY, Ontology

BASE = "https://w3id.org/dhu/"
XSD = "http://www.w3.org/2001/XMLSchema#"
RECORD = NODE + "7"


@pytest.fixture
def functions(ontology: Ontology) -> Functions:
    return Functions(ontology, "src")


def value(term: object) -> tuple[str, str] | str | None:
    """A literal as (text, kind), an IRI as it is."""
    if isinstance(term, ox.Literal):
        return term.value, term.datatype.value.removeprefix(XSD)
    return getattr(term, "value", term)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("function", "given", "answer"),
    [
        ("year", "2021", ("2021", "gYear")),
        ("year", "2021.0", ("2021", "gYear")),
        ("year", " 2021 ", ("2021", "gYear")),
        ("year", "2021-05", ("2021", "gYear")),
        ("year", "2021-05-06", ("2021", "gYear")),
        ("year", "2021.5", None),
        ("year", "21", None),
        ("year", "0021", None),
        ("year", "20210", None),
        ("year", "around 2021", None),
        ("date", "2022-11-15", ("2022-11-15", "date")),
        ("date", "2022-11-15T10:00:00Z", ("2022-11-15", "date")),
        ("date", "2022-02-30", None),
        ("date", "2022-11", ("2022-11", "gYearMonth")),
        ("date", "2022-13", None),
        ("date", "2022", ("2022", "gYear")),
        ("date", "15.11.2022", None),
        ("decimal", "1.5e3", ("1500", "decimal")),
        ("decimal", "1500", ("1500", "decimal")),
        ("decimal", "0.10", ("0.1", "decimal")),
        ("decimal", "-0.0", ("0", "decimal")),
        ("decimal", "0", ("0", "decimal")),
        ("decimal", "1,500", None),
        ("decimal", "1_000", None),
        ("decimal", "NaN", None),
        ("decimal", "Infinity", None),
        ("decimal", "1e999999999", None),
        ("decimal", "+7.", ("7", "decimal")),
        ("decimal", "١٢", None),
        ("decimal", "1234567890123456789012345678901", ("1234567890123456789012345678901", "decimal")),
        ("decimal", "0.1234567890123456789012345678901", ("0.1234567890123456789012345678901", "decimal")),
        ("period", "2021", "http://reference.data.gov.uk/id/gregorian-year/2021"),
        ("period", "", BASE + "vocab/period/not-stated"),
        ("period", "soon", None),
        ("country", "Belgium", OP_COUNTRY + "/BEL"),
        ("country", "EL", OP_COUNTRY + "/GRC"),
        ("country", "Czech\u00a0Republic ", OP_COUNTRY + "/CZE"),
        ("country", "Atlantis", None),
        ("region", "EL30", "http://data.europa.eu/nuts/code/EL30"),
        ("region", "EL30> <x", None),
        ("region", "XX99", None),
        ("currency", "eur", "http://publications.europa.eu/resource/authority/currency/EUR"),
        ("currency", "€", None),
        ("text", "  a\u00a0 b\n\tc ", ("a b c", "string")),
        ("text", "e\u0301", ("é", "string")),
        ("text", "\x01\x02", None),
        ("web", "https://a.example.org/x y", "https://a.example.org/x%20y"),
        ("web", "https://a.example.org/x%20y", "https://a.example.org/x%20y"),
        ("web", " \u00a0https://a.example.org/,", "https://a.example.org/"),
        ("web", 'https://a.example.org/"<>\\^`{|}', "https://a.example.org/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("web", "https://a.example.org/ü", "https://a.example.org/ü"),
        ("web", "https://a.example.org/\u202e", "https://a.example.org/%E2%80%AE"),
        ("web", "http://user:secret@a.example.org/", None),
        ("web", "javascript:alert(1)", None),
        ("web", "ftp://a.example.org/", None),
        ("web", "www.example.org", None),
        ("web", "https://", None),
        ("web", "https://a.example.org:port/", None),
        ("web", "https://[::1", None),
    ],
)
def test_what_a_function_answers(function: str, given: str, answer: object, functions: Functions) -> None:
    got = getattr(functions, function)(given)
    assert value(got) == answer
    if isinstance(answer, str):
        ox.NamedNode(answer)
        ox.parse(f"<a:s> <a:p> <{answer}> .", ox.RdfFormat.N_TRIPLES)


def test_concepts_go_by_code_and_label_within_their_scheme(functions: Functions) -> None:
    assert functions.concept("theme", "e-prescription") == BASE + "vocab/theme/e-prescription"
    assert functions.concept("scope", " National ") == BASE + "vocab/scope/national"
    assert functions.concept("theme", "national") is None


# ------------------------------------------------------------------------------------------------ minting


def minted(term: object) -> str:
    assert isinstance(term, ox.NamedNode)
    return term.value.removeprefix(f"{RECORD}:")


def test_plain_identifiers_stay_readable_and_others_get_a_digest(functions: Functions) -> None:
    assert minted(functions.iri(RECORD, "practice", "abc-12")) == BASE + "id/practice/src-abc-12"
    assert minted(functions.iri(RECORD, "practice", "Ab C")).startswith(BASE + "id/practice/src-ab-c-")
    assert minted(functions.iri(RECORD + "/lead/0", "practice", "x")) == BASE + "id/practice/src-x"


HARD = [
    "Health Service", "health-service", "health service", "Health  Service", "HEALTH-SERVICE", "health_service", "ä", "a", "Ω", "Ж", "日本",
    "a/b", "a?b", "a#b", "a b", "../a", "%41", "A", "a\u0301", "-", "--", " ", "x" * 500, "x" * 501, "a>b", 'a"b', "a\\b", "a\u2028b", "🙂",
]  # fmt: skip


def test_different_identifiers_give_different_and_valid_iris(functions: Functions) -> None:
    iris = [minted(functions.iri(RECORD, "practice", x)) for x in HARD]
    assert len(set(iris)) == len(HARD)
    for iri in iris:
        local = iri.removeprefix(BASE + "id/practice/")
        assert (
            local.isascii()
            and local.replace("-", "").isalnum()
            and local == local.lower()
            and len(local) <= 120
        )


def test_several_parts_are_joined_and_empty_ones_say_nothing(functions: Functions) -> None:
    """Plain parts are joined with a hyphen and no more: whoever writes a map sees to it that they cannot be cut in two ways."""
    assert minted(functions.iri(RECORD, "need", "a", "", "bc")) == BASE + "id/need/src-a-bc"
    assert minted(functions.iri(RECORD, "need", "ab", "c")) == BASE + "id/need/src-ab-c"


def test_parts_of_a_resource_are_told_apart_by_their_content(functions: Functions) -> None:
    parent = f"{RECORD}:{BASE}id/practice/src-1"
    nodes = [
        functions.node(parent, "evidence", *parts)
        for parts in (("a",), ("b",), ("a", "b"), ("ab",), ("a", ""))
    ]
    assert len({n.value for n in nodes if isinstance(n, ox.NamedNode)}) == 5
    assert functions.node(parent, "evidence", "a") == nodes[0]


# ------------------------------------------------------------------------------------------------ failures


def test_failures_are_collected_but_not_for_blank_values_or_free_words(functions: Functions) -> None:
    table = functions.table()
    call = lambda name, *values: table[ox.NamedNode(FN + name)](*map(ox.Literal, values))  # noqa: E731
    assert call("country", "Atlantis") is None
    assert call("country", "  ") is None
    assert call("known", "theme", "a free word") is None
    assert call("concept", "theme", "no such theme") is None
    assert functions.failures == [("country", "Atlantis"), ("concept", "no such theme")]


def test_a_function_that_breaks_is_a_failure_and_not_an_error(functions: Functions) -> None:
    table = functions.table()
    assert table[ox.NamedNode(FN + "concept")](ox.Literal("no-such-scheme"), ox.Literal("x")) is None
    assert table[ox.NamedNode(FN + "year")]() is None
    assert [name.split(" ")[0] for name, _ in functions.failures] == ["concept", "year"]


@pytest.mark.parametrize(
    "address",
    [
        "https://a.eu",
        "http://a.eu/x?y=1#z",
        "https://a.eu/x%20y",
        "https://a.eu/(x)'y'@z",
        "https://user@a.eu/x",
        "https://user:word@a.eu/",
        "https://a.eu:8080/x",
        "https://a.eu:99999/x",
        "https:///x",
        "https://a.eu/ x",
        "https://a.eu/<x>",
        'https://a.eu/"x"',
        "https://a.eu/ä",
        "https://a.eu/x\u202ey",
        "ftp://a.eu/",
        "javascript:alert(1)",
        "https://a.eu?q=[1]",
        "http://-",
        "http://.",
    ],
)
def test_the_short_way_for_a_safe_address_gives_what_the_long_way_gives(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import re

    from dhu_graph import ontology
    from dhu_graph.ingest import functions

    made = functions.Functions(ontology.load(), "s")
    short = made.web(address)
    monkeypatch.setattr(functions, "_SAFE", re.compile(r"(?!)"))
    assert short == made.web(address)
