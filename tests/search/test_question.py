"""What a question says: quotes, minus, names of places, years and themes, and its gloss in English."""

import numpy as np
import pytest

from dhu_graph import Engine
from dhu_graph.errors import UsageError
from dhu_graph.model import Filter
from dhu_graph.search import Question, Reader, marked, sparql
from dhu_graph.search.highlight import spans
from dhu_graph.search.lexicon import Lexicon, folded

READER = Reader()


def test_quotes_and_minus_are_operators_and_hyphens_are_not() -> None:
    read = READER.read('e-health „second opinion" -cancer 2021-2026 -', 2000)
    assert read.must == ("second opinion",) and read.without == ("cancer",)
    assert read.plain == "e-health second opinion 2021-2026 -"


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "-cancer"])
def test_an_empty_question_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        READER.read(text, 2000)


@pytest.mark.parametrize(
    "text",
    [
        "\ud800 x",
        "\u202eabc",
        "\ufdfa" * 50,
        "x" * 1_000_000,
        "!!! ???",
        "word " * 10_000,
        '"' * 999 + "a",
        "-" * 99 + "b",
    ],
)
def test_hostile_questions_are_read(text: str) -> None:
    assert isinstance(READER.read(text, 2000), Question)


def named(engine: Engine, text: str) -> set[tuple[str, str]]:
    with engine.reading() as opened:
        return {(name.column, name.value) for name in opened.searcher.read(text).named if not name.hint}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "telemonitoring in Spain since 2020",
            {("country", "ESP"), ("theme", "telemonitoring"), ("year", "2020-")},
        ),
        (
            "telemeditsiin Hispaanias alates 2019",
            {("country", "ESP"), ("theme", "telemedicine"), ("year", "2019-")},
        ),
        ("τηλεϊατρική στη Γαλλία", {("country", "FRA"), ("theme", "telemedicine")}),
        ("ParkinsonNet στην Ολλανδία", {("country", "NLD")}),
        ("fondi PNRR Italia 2021-2026", {("country", "ITA"), ("year", "2021-2026")}),
        ("kursai po 2020 metų", {("year", "2021-")}),
        ("ouverts avant 2015", {("year", "-2015")}),
        ("oideas leictreonach sa Phortaingéil", {("country", "PRT"), ("theme", "e-prescription")}),
        ("gdzie pacjent znajdzie swoje dane medyczne ze szpitala", set()),
    ],
)
def test_what_words_name_is_recognised_in_its_language(
    radar: Engine, text: str, expected: set[tuple[str, str]]
) -> None:
    assert named(radar, text) == expected


def test_what_no_document_has_is_not_offered(radar: Engine) -> None:
    assert named(radar, "telemedicine in Brazil") == {("theme", "telemedicine")}


def test_the_gloss_holds_concepts_places_and_names(radar: Engine) -> None:
    with radar.reading() as opened:
        read = opened.searcher.read("FMK lääkitystiedot Tanskassa")
        assert read.gloss == "FMK medication record in Denmark"
        assert opened.searcher.read("medication record in Denmark").gloss == ""


def test_quotes_must_and_minus_must_not_stand_in_an_answer(radar: Engine) -> None:
    with radar.reading() as opened:
        searcher = opened.searcher
        for hit in searcher.search('"heart failure" telemonitoring', limit=30):
            assert "heart failure" in hit.document.text.lower().replace("-", " ")
        assert searcher.search('"heart failure" telemonitoring', limit=30)
        for hit in searcher.search("heart failure -telemonitoring", limit=30):
            assert "telemonitoring" not in hit.document.text.lower().split()
        assert searcher.search('"no such words stand anywhere"') == []


def test_words_alone_give_what_holds_them(radar: Engine) -> None:
    with radar.reading() as opened:
        hits = opened.searcher.search("valcronic", limit=5, words_only=True)
        assert hits and all("valcronic" in folded(hit.document.text) for hit in hits)


def test_years_are_filtered_by_spans(radar: Engine) -> None:
    with radar.reading() as opened:
        documents = opened.index.documents
        each = {year: set(documents.rows(Filter.of(year=year)).tolist()) for year in ("2019", "2020", "2021")}
        assert set(documents.rows(Filter.of(year="2019-2021")).tolist()) == set().union(*each.values())
        late = documents.rows(Filter.of(year="2020-"))
        assert not set(late.tolist()) & each["2019"] and each["2021"] <= set(late.tolist())
        both = np.concatenate([late, documents.rows(Filter.of(year="-2019"))])
        assert sorted(both.tolist()) == sorted(documents.having("year").tolist())


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"country": ["GRC", "CYP"]},
        {"theme": "telemonitoring", "kind": "practice"},
        {"year": "2020-"},
        {"year": ["2015", "2018-2019"], "maturity": "routine-use"},
        {"region": "ES11"},
        {"target": "older-people", "source": "starter"},
        {"audience": "managers"},
        {"language": "en", "technology": "mobile-app"},
    ],
)
def test_the_sparql_of_a_filter_gives_as_many_as_the_filter(
    radar: Engine, columns: dict[str, str | list[str]]
) -> None:
    chosen = radar.filter(**columns)
    with radar.reading() as opened:
        total, kinds = opened.searcher.count(chosen), opened.searcher.facets()["kind"]
    rows = radar.query(sparql(chosen, kinds, radar.ontology))
    assert isinstance(rows, list) and len({row["resource"] for row in rows}) == total
    assert total or columns == {"region": "ES11"}


def test_a_passage_is_marked_where_it_meets_the_question() -> None:
    lexicon = Lexicon()
    read = Reader(lexicon).read("südamepuudulikkuse kaugjälgimine", 2000)
    passage = "Telemonitoring of heart failure at home."
    met = [passage[start:end] for start, end in spans(passage, read, lexicon)]
    assert met == ["Telemonitoring", "heart", "failure"]
    assert "".join(text for text, _ in marked(passage, spans(passage, read, lexicon))) == passage
