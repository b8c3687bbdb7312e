"""Words of a question in any language lead to concepts: inflected, in compounds, misspelt, without accents."""

import time

import pytest

from dhu_graph import assets
from dhu_graph.search.lexicon import Lexicon, folded, rows

LEXICON = Lexicon()
FILES = sorted((assets.folder("index") / "words").glob("*.tsv"))


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("südamepuudulikkuse kaugjälgimine", {"heart-failure", "telemonitoring"}),
        ("taifead leictreonach othair", {"electronic-health-record"}),
        ("obligāta antibiotiku e-recepte", {"electronic-prescription"}),
        ("koko genomin sekvensointi harvinaissairauksissa", {"genomics", "rare-disease"}),
        ("Schlaganfall-Telekonsil im Regelbetrieb", {"stroke", "routine-use"}),
        ("telereabilitacija po insulto", {"telerehabilitation", "stroke"}),
        ("τηλεπαρακολούθηση διαβήτη", {"telemonitoring", "diabetes"}),
        ("e-recepty na antybiotyki", {"electronic-prescription"}),
    ],
)
def test_inflected_words_and_compounds_lead_to_their_concepts(text: str, concepts: set[str]) -> None:
    assert concepts <= {found.concept for found in LEXICON.understand(text)}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("sudamepuudulikkus", "heart-failure"),  # accents left out
        ("kotisairala", "hospital-at-home"),  # a letter left out
        ("artifical inteligence", "artificial-intelligence"),
    ],
)
def test_slips_and_missing_accents_are_forgiven(text: str, concept: str) -> None:
    assert concept in {found.concept for found in LEXICON.understand(text)}


def test_words_that_mean_nothing_here_lead_nowhere() -> None:
    assert LEXICON.understand("Västerbottenis zzz qqq") == []
    assert LEXICON.understand("") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_the_lexicon_has_the_concepts_of_the_english_one(path) -> None:  # type: ignore[no-untyped-def]
    english = [
        line.split("\t")[0] for line in (path.parent / "en.tsv").read_text(encoding="utf-8").splitlines()
    ]
    own = [line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines()]
    assert own == english and len(set(own)) == len(own)
    forms = dict(rows(path))
    assert len(forms) > 0.9 * len(english), "a language with many empty cells bridges little"
    for concept, cell in forms.items():
        for form in cell.split("|"):
            assert folded(form), (concept, form)
            assert all(len(word.strip("*")) >= 3 or "*" not in word for word in form.split()), (concept, form)


@pytest.mark.parametrize(
    "text", ["\ufdfa" * 50, "health " * 10_000, "qwrtz " * 400, "x" * 2_000, "abcdefgh" * 5 + " "]
)
def test_hostile_questions_take_no_time(text: str) -> None:
    LEXICON.understand("ready")  # the files are read once
    begun = time.process_time()
    LEXICON.understand(text[:2_000])
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("telemedicina in Puglia", "it"),
        ("depresijos gydimas internetu danijoje", "lt"),
        ("Gdzie znajdę aplikację z prognozą pylenia dla alergików?", "pl"),
        ("elektronisk patientjournal på sjukhus", "sv"),
    ],
)
def test_of_languages_that_share_words_the_likeliest_is_taken(text: str, language: str) -> None:
    assert {found.language for found in LEXICON.understand(text)} <= {language, "en"}
