"""Words: folding, stems, coverage, BM25."""

from pathlib import Path

import pytest

from dhu_graph.errors import BadInput
from dhu_graph.index.text import STEMMERS, Text, TextWriter, fold, words

TEXTS = [
    ("en", "Hospitals share prescriptions across borders"),
    ("el", "Το νοσοκομείο μοιράζεται συνταγές"),
    ("lv", "Slimnīca dala receptes"),
    ("mt", "Is-saħħa diġitali f'Malta"),
    ("en", "A hospital buys imaging"),
]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Text:
    folder = tmp_path_factory.mktemp("text")
    writer = TextWriter(folder)
    for row, (language, content) in enumerate(TEXTS):
        writer.add(row, content, language)
    writer.close()
    return Text(folder, {language for language, _ in TEXTS})


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        ("Łódź", "lodz"),
        ("ΥΓΕΊΑΣ", "υγειασ"),
        ("straße", "strasse"),
        ("saħħa", "sahha"),
        ("Здравје", "здравје"),
        ("œuvre", "oeuvre"),
    ],
)
def test_folding(word: str, folded: str) -> None:
    assert fold(word) == folded


def test_words_are_letters_and_digits_only() -> None:
    assert words('AND "x_y" title:(a* OR ~b) l\'hôpital 2021!') == [
        "and",
        "x",
        "y",
        "title",
        "a",
        "or",
        "b",
        "l",
        "hôpital",
        "2021",
    ]
    assert words("x" * 61) == []


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("hospital", {0, 4}),
        ("prescription", {0}),
        ("νοσοκομεία", {1}),
        ("νοσοκομειο", {1}),
        ("SLIMNICA", {2}),
        ("sahha", {3}),
        ("krankenhaus", set()),
    ],
)
def test_a_word_is_found_by_stem_or_without_its_accents(text: Text, question: str, rows: set[int]) -> None:
    assert set(text.coverage(text.terms(question), 10)) == rows


def test_coverage_is_the_share_of_rarity_found(text: Text) -> None:
    terms = text.terms("hospital imaging unheard")
    share = {term.word: term.share for term in terms}
    assert sum(share.values()) == pytest.approx(1)
    assert share["unheard"] > share["imaging"] > share["hospital"] > 0
    found = text.coverage(terms, 10)
    assert found[4] == pytest.approx(share["hospital"] + share["imaging"], abs=1e-5)
    assert found[0] == pytest.approx(share["hospital"], abs=1e-5)
    assert list(found) == [4, 0]


def test_a_word_said_twice_counts_once(text: Text) -> None:
    assert text.terms("hospital Hospital imaging") == text.terms("hospital imaging")


@pytest.mark.parametrize("rows", [[0], [0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
def test_rows_narrow_coverage_and_bm25_without_changing_scores(text: Text, rows: list[int]) -> None:
    terms = text.terms("hospital imaging")
    for ask in (text.coverage, text.bm25):
        everything = ask(terms, 10)
        assert ask(terms, 10, rows) == {row: score for row, score in everything.items() if row in rows}
        best = next(row for row in everything if row in rows)
        assert list(ask(terms, 1, rows)) == [best]
    assert text.coverage(terms, 10, []) == {}


def test_every_stemmer_named_really_stems() -> None:
    from dhu_graph.index.text import _stem

    for language in STEMMERS:  # `Filter.stemmer` takes unknown names and fails later
        assert _stem(language, "hospital")


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a text index"):
        Text(tmp_path, ["en"])
