"""Questions against real small indexes: ranking, filters, odd questions, threads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_corpus import WordHashes, make

from dhu_graph.embedding import Embedder, Vectors
from dhu_graph.errors import BadInput, ReleaseError, UnknownName, UsageError
from dhu_graph.index import Index, build, open_index
from dhu_graph.model import Document, Filter
from dhu_graph.search import Searcher, Weights

COUNT = 1500


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("search") / "index"
    build(make(COUNT), folder, WordHashes())
    return open_index(folder)


@pytest.fixture(scope="module")
def searcher(index: Index) -> Searcher:
    return Searcher(index, WordHashes())


@pytest.fixture(scope="module")
def words_only(index: Index) -> Searcher:
    return Searcher(index, None)


def test_the_score_is_the_sum_that_the_settings_say(searcher: Searcher) -> None:
    w = Weights.read()
    hits = searcher.search("It joins telemonitoring with prescription. Number8 says it all.", limit=50)
    for hit in hits:
        parts = hit.parts
        expected = w.whole * parts["whole"] + w.window * parts["window"]
        expected += w.coverage * max(0, parts["coverage"] - w.coverage_from)
        assert hit.score == pytest.approx(expected, abs=3e-6)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].document.title == "Case 8"
    assert hits[0].passage == "It joins telemonitoring with prescription. Number8 says it all."


def test_candidates_lose_nothing_of_the_full_scoring(index: Index) -> None:
    some = Searcher(index, WordHashes(), replace(Weights.read(), all_below=0))
    full = Searcher(index, WordHashes(), replace(Weights.read(), all_below=10**9))
    for question in ("imaging with dementia", "case 77 triage", "genomics", "Number1234 says"):
        assert some.search(question) == full.search(question)


def test_counts_equal_facets_equal_hits(searcher: Searcher) -> None:
    facets = searcher.facets()
    assert searcher.count() == COUNT
    for column in ("country", "theme", "source"):
        for value, count in facets[column].items():
            narrowed = Filter.of(**{column: value})
            assert searcher.count(narrowed) == count
            hits = searcher.search("diabetes", narrowed, limit=COUNT)
            assert len(hits) == count
            assert all(value in hit.document.filters[column] for hit in hits)
    both = Filter.of(country="GRC", theme=["imaging", "triage"])
    assert searcher.facets(both)["kind"] == {"practice": searcher.count(both)}


@pytest.mark.parametrize("all_below", [0, 1000])
def test_a_one_percent_filter_is_exact(index: Index, all_below: int) -> None:
    searcher = Searcher(index, WordHashes(), replace(Weights.read(), all_below=all_below))
    rare = Filter.of(source="rare")
    assert searcher.count(rare) == COUNT // 100
    everything = [
        hit
        for hit in searcher.search("prescription imaging", limit=COUNT)
        if "source" in hit.document.filters
    ]
    assert searcher.search("prescription imaging", rare) == everything[:10]


def test_pages_follow_each_other(searcher: Searcher) -> None:
    whole = searcher.search("maternity", limit=60)
    assert [
        *searcher.search("maternity", limit=25),
        *searcher.search("maternity", limit=35, offset=25),
    ] == whole
    assert searcher.search("maternity", Filter.of(source="rare"), offset=1000) == []


def test_equal_documents_come_in_order_of_rows(tmp_path: Path) -> None:
    documents = [
        Document(f"http://x/{9 - i}", "k", "", "", "The very same text. Twice.", "en") for i in range(9)
    ]
    build(documents, tmp_path / "i", WordHashes())
    for embedder in (WordHashes(), None):
        hits = Searcher(open_index(tmp_path / "i"), embedder).search("same text")
        assert [hit.document.iri for hit in hits] == [document.iri for document in documents]


@pytest.mark.parametrize("question", ["", "   ", "\n\t", "\x00\x07", "\ud800"])
def test_empty_questions_are_usage_errors(searcher: Searcher, words_only: Searcher, question: str) -> None:
    for one in (searcher, words_only):
        with pytest.raises(UsageError, match="empty"):
            one.search(question)


@pytest.mark.parametrize(
    "question",
    [
        "telemonitoring " * 7000,
        "x" * 100_000,
        " ".join(f"w{i}" for i in range(20_000)),
        'title:(a OR "b) AND NOT ^2 ~3 [TO] {} * ? \\ row:1',
        "tele\x00moni\x1ftoring \u202e\ud800",
        "!!! ??? …",
        "🙂" * 500,
        "' OR 1=1; --",
    ],
)
def test_odd_questions_are_plain_words(searcher: Searcher, words_only: Searcher, question: str) -> None:
    assert len(searcher.search(question)) == 10
    words_only.search(question)


def test_wrong_limits_and_columns(searcher: Searcher) -> None:
    for limit, offset in ((0, 0), (-1, 0), (1, -1)):
        with pytest.raises(UsageError, match="limit"):
            searcher.search("x", limit=limit, offset=offset)
    with pytest.raises(UsageError, match="colour"):
        searcher.search("x", Filter({"colour": frozenset({"red"})}))
    assert searcher.search("x", Filter.of(country="nowhere")) == []


def test_words_alone_rank_by_bm25(words_only: Searcher) -> None:
    hits = words_only.search("Number8 telemonitoring")
    assert hits[0].document.title == "Case 8"
    assert hits[0].parts == {"coverage": 1.0}
    assert hits[0].passage == "telemonitoring", "the summary, as no window was scored"
    assert words_only.search("nowhere") == []
    rare = words_only.search("imaging telemonitoring", Filter.of(source="rare"))
    assert rare and all(hit.document.filters["source"] == ("rare",) for hit in rare)


def test_similar_documents(searcher: Searcher, words_only: Searcher) -> None:
    iri = "https://w3id.org/dhu/id/practice/3"
    for one in (searcher, words_only):
        hits = one.similar(iri, limit=5)
        assert len(hits) == 5
        assert iri not in [hit.document.iri for hit in hits]
        assert hits[0].document.filters["theme"] == ("maternity",)
        greek = one.similar(iri, Filter.of(source="rare"), limit=5)
        assert all("source" in hit.document.filters for hit in greek)
        with pytest.raises(UnknownName):
            one.similar("http://nowhere")
        with pytest.raises(UsageError):
            one.similar(iri, limit=0)


def test_an_index_of_another_model_is_refused(index: Index) -> None:
    other = WordHashes()
    other.fingerprint = "another"
    with pytest.raises(ReleaseError, match="another model"):
        Searcher(index, other)


@pytest.mark.parametrize("count", [0, 1])
def test_tiny_corpora(tmp_path: Path, count: int) -> None:
    build(make(count), tmp_path / "i", WordHashes())
    for embedder in (WordHashes(), None):
        searcher = Searcher(open_index(tmp_path / "i"), embedder)
        assert len(searcher.search("case")) == count
        if count:
            assert searcher.similar(make(1)[0].iri) == []


@pytest.mark.parametrize("content", ["[weights]\nwhole = 1", "not toml", "[a]\nunknown = 1", "top = 1"])
def test_a_wrong_settings_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "search.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=r"search\.toml"):
        Weights.read(path)


def test_ten_threads_search_at_once(searcher: Searcher) -> None:
    questions = [f"case {i} imaging triage" for i in range(60)]
    filters = [Filter(), Filter.of(country="GRC"), Filter.of(source="rare")]
    jobs = [(question, filter) for question in questions for filter in filters]
    alone = [searcher.search(*job) for job in jobs]
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(lambda job: searcher.search(*job), jobs)) == alone


class Biased:
    """Word hashes plus a strong direction per language, told by a marker word, as multilingual models have."""

    name, fingerprint, dimension = "biased", "biased", 48

    def passages(self, texts: Sequence[str]) -> Vectors:
        plain = WordHashes().passages(texts)
        bias = WordHashes().passages([text.split()[0] for text in texts])
        found = plain + bias / 2
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)

    queries = passages


def test_the_language_of_the_question_is_not_favoured(tmp_path: Path) -> None:
    subjects = ["imaging", "triage", "dementia", "genomics", "maternity", "diabetes", "surgery", "vaccines"]
    documents = [
        Document(f"http://x/{language}/{i}/{subject}", "k", "", "", f"{language}: {subject} s{i}", language)
        for language, count in (("en", 36), ("el", 12))
        for subject in subjects
        for i in range(count)
    ]
    build(documents, tmp_path / "i", Biased())
    index = open_index(tmp_path / "i")
    assert index.vectors
    searcher = Searcher(index, Biased(), replace(Weights.read(), coverage=0.0))
    found = {"raw": 0, "search": 0, "similar": 0}
    for subject in subjects:
        question = f"en: {subject}"
        raw = index.vectors.whole.vectors @ Biased().queries([question])[0]
        ranked = {
            "raw": [index.documents.get(int(row)) for row in np.argsort(-raw)[:48]],
            "search": [hit.document for hit in searcher.search(question, limit=48)],
            "similar": [hit.document for hit in searcher.similar(f"http://x/en/0/{subject}", limit=48)],
        }
        for kind, documents in ranked.items():
            found[kind] += sum(d.language == "el" and d.iri.endswith(subject) for d in documents)
    # There are 12 Greek documents on each of the 8 subjects, so 96 to be found.
    assert found["raw"] == 0, "the model is biased"
    assert found["search"] >= 48
    assert found["similar"] >= 48


def test_real_questions_in_several_languages(tmp_path: Path, packaged_embedder: Embedder) -> None:
    texts = {
        "heart": (
            "en",
            "Remote monitoring of heart failure. Patients send weight and blood pressure from home.",
        ),
        "rezept": (
            "de",
            "Elektronisches Rezept. Ärzte verschreiben Arzneimittel digital, Apotheken lösen sie ein.",
        ),
        "ygeia": ("el", "Ηλεκτρονικός φάκελος υγείας. Οι πολίτες βλέπουν τις εξετάσεις τους."),
        "imagerie": (
            "fr",
            "Imagerie médicale par intelligence artificielle. Les radiologues lisent plus vite.",
        ),
    }
    documents = [Document(iri, "practice", "", "", text, language) for iri, (language, text) in texts.items()]
    build(documents, tmp_path / "i", packaged_embedder)
    searcher = Searcher(open_index(tmp_path / "i"), packaged_embedder)
    questions = {
        "Herzpatienten zu Hause überwachen": "heart",
        "electronic prescriptions in pharmacies": "rezept",
        "citizens see their test results in a health record": "ygeia",
        "sztuczna inteligencja w radiologii": "imagerie",
    }
    for question, iri in questions.items():
        assert searcher.search(question)[0].document.iri == iri


def test_like_several_together_and_like_a_text(searcher: Searcher, words_only: Searcher) -> None:
    iris = ["https://w3id.org/dhu/id/practice/3", "https://w3id.org/dhu/id/practice/4"]
    for one in (searcher, words_only):
        both = [hit.document.iri for hit in one.similar(iris, limit=5)]
        assert len(both) == 5 and not set(both) & set(iris)
        document = one.similar(iris[0], limit=1)[0].document
        assert one.alike(document.text, limit=1)[0].document.iri == document.iri
        assert one.alike(document.text * 500, limit=3)
        with pytest.raises(UsageError):
            one.similar([], limit=5)
        with pytest.raises(UsageError, match="empty"):
            one.alike(" \x00\n", limit=5)
