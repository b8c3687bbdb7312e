"""The words of all documents: a tantivy index with one folded field and a stemmed field per language.

Two questions are put to it. *Coverage*: which share of the question's words, weighed by how rare they are, stands in a
document; a boolean query of constant scores answers it exactly. *BM25*: the usual ranking, where there are no vectors.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dhu_graph.errors import BadInput
from dhu_graph.index.documents import Rows

STEMMERS = {
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "ro": "romanian",
    "sv": "swedish",
}
"""What tantivy can stem of the 24 EU languages. The others are found by their folded words."""

FOLDER = "text"
LONGEST_WORD, MOST_WORDS = 60, 64
HEAP = 64_000_000

_WORD = re.compile(r"[^\W_]+")
# Letters with a stroke are letters of their own to Unicode; people without that keyboard type the plain one.
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"}
)


def words(text: str, *, lower: bool = True) -> list[str]:
    """The words of a text in lower case, in order; anything but letters and digits separates them."""
    return [word for word in _WORD.findall(text.lower() if lower else text) if len(word) <= LONGEST_WORD]


def fold(word: str) -> str:
    """The word without accents, strokes and case, in any script: `Łódź` → `lodz`, `υγεία` → `υγεια`."""
    if word.isascii():
        return word.lower()
    bare = unicodedata.normalize("NFKD", word.casefold().translate(_STROKES))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


@dataclass(frozen=True)
class Term:
    """A word of a question: where it is looked up, and its share of the question's total rarity (0–1)."""

    word: str
    places: tuple[tuple[str, str], ...]
    share: float


class TextWriter:
    """Writes the words of documents, row by row."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        (folder / FOLDER).mkdir()
        self._index = _prepared(tantivy.Index(_schema(), path=str(folder / FOLDER)))
        # One thread, so that the same documents always give the same segments.
        self._writer = self._index.writer(HEAP, 1)

    def add(self, row: int, text: str, language: str) -> None:
        """Adds a document's words under its row."""
        import tantivy

        found = words(text)
        document = tantivy.Document()
        document.add_unsigned("row", row)
        document.add_text("folded", " ".join(map(fold, found)))
        if language in STEMMERS:
            document.add_text(f"stem_{language}", " ".join(found))
        self._writer.add_document(document)

    def close(self) -> None:
        """Commits, and waits for the segments to be merged."""
        self._writer.commit()
        self._writer.wait_merging_threads()


class Text:
    """The words of an index, read only; many threads may ask at once."""

    def __init__(self, folder: Path, languages: Collection[str]) -> None:
        import tantivy

        if not (folder / FOLDER / "meta.json").is_file():
            raise BadInput(f"{folder / FOLDER} is not a text index.")
        self._index = _prepared(tantivy.Index.open(str(folder / FOLDER)))
        self._schema = self._index.schema
        self._searcher = self._index.searcher()
        self._stemmed = sorted(set(languages) & set(STEMMERS))

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def holds(self, word: str) -> bool:
        """Whether a folded word stands in any document."""
        return bool(self._searcher.doc_freq("folded", word))

    def terms(self, question: str) -> list[Term]:
        """The distinct words of a question with their shares; the first MOST_WORDS of a long one.

        The weight is BM25's idf, ln(1 + (N − df + ½)/(df + ½)) (Robertson & Zaragoza 2009). A word in no document
        keeps its (greatest) weight and is never found: so a question in another language than the documents gets
        hardly any coverage, and the vectors decide alone.
        """
        found = []
        for word in list(dict.fromkeys(words(question)))[:MOST_WORDS]:
            places = [("folded", fold(word))]
            places += [(f"stem_{language}", _stem(language, word)) for language in self._stemmed]
            counts = [self._searcher.doc_freq(field, term) for field, term in places]
            # A document has one language, so the stemmed fields together count each document once.
            df = max(counts[0], sum(counts[1:]))
            kept = tuple(place for place, count in zip(places, counts, strict=True) if count)
            found.append((word, kept, math.log(1 + (len(self) - df + 0.5) / (df + 0.5))))
        total = sum(weight for _, _, weight in found)
        return [Term(word, places, weight / total) for word, places, weight in found]

    def holding(self, phrase: str, rows: Rows) -> Rows:
        """The rows, of those given, whose documents hold every word of a phrase, in any order."""
        import tantivy

        clauses = [
            (tantivy.Occur.Must, tantivy.Query.term_query(self._schema, "folded", fold(word), "basic"))
            for word in words(phrase)
        ]
        found = self._hits(tantivy.Query.boolean_query(clauses), len(self)) if clauses and len(self) else []
        return np.intersect1d(np.array([row for row, _ in found], dtype=np.int64), rows, assume_unique=True)

    def coverage(
        self, terms: list[Term], limit: int, rows: Sequence[int] | Rows | None = None
    ) -> dict[int, float]:
        """Row → covered share (0–1) of the best documents (among `rows`); those without any of the words are absent."""
        import tantivy

        clauses = [
            (tantivy.Occur.Should, tantivy.Query.const_score_query(self._any(term), term.share))
            for term in terms
            if term.places
        ]
        return {row: round(min(score, 1.0), 6) for row, score in self._ask(clauses, limit, rows)}

    def bm25(
        self, terms: list[Term], limit: int, rows: Sequence[int] | Rows | None = None
    ) -> dict[int, float]:
        """Row → BM25 score of the best documents (among `rows`); those without any of the words are absent."""
        import tantivy

        clauses = [(tantivy.Occur.Should, self._any(term)) for term in terms if term.places]
        return {row: round(score, 6) for row, score in self._ask(clauses, limit, rows)}

    def _any(self, term: Term) -> Any:
        import tantivy

        queries = [tantivy.Query.term_query(self._schema, field, word, "freq") for field, word in term.places]
        return tantivy.Query.disjunction_max_query(queries)

    def _ask(
        self, clauses: list[tuple[Any, Any]], limit: int, rows: Sequence[int] | Rows | None
    ) -> list[tuple[int, float]]:
        import tantivy

        if not clauses or limit < 1:
            return []
        asked = tantivy.Query.boolean_query(clauses)
        if rows is None:
            return self._hits(asked, limit)
        passes = np.zeros(len(self), dtype=np.bool_)
        passes[np.asarray(rows, dtype=np.int64)] = True
        passed = int(passes.sum())
        excluded = len(self) - passed
        if excluded < passed:
            # So many more hits are enough to lose the excluded ones, and cheaper than a long list of rows.
            return [hit for hit in self._hits(asked, limit + excluded) if passes[hit[0]]][:limit]
        allowed = tantivy.Query.term_set_query(self._schema, "row", np.flatnonzero(passes).tolist())
        both = [
            (tantivy.Occur.Must, asked),
            (tantivy.Occur.Must, tantivy.Query.const_score_query(allowed, 0.0)),
        ]
        return self._hits(tantivy.Query.boolean_query(both), limit)

    def _hits(self, query: Any, limit: int) -> list[tuple[int, float]]:
        """(row, score), best first."""
        hits = self._searcher.search(query, limit, count=False).hits
        found = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [(int(row), score) for row, (score, _) in zip(found, hits, strict=True)]


def _schema() -> Any:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("row", stored=True, indexed=True, fast=True)
    builder.add_text_field("folded", tokenizer_name="plain", index_option="freq")
    for language in STEMMERS:  # a field without documents costs nothing
        builder.add_text_field(f"stem_{language}", tokenizer_name=f"stem_{language}", index_option="freq")
    return builder.build()


def _prepared(index: Any) -> Any:
    index.register_tokenizer("plain", _analyzer(None))
    for language in STEMMERS:
        index.register_tokenizer(f"stem_{language}", _analyzer(language))
    return index


@cache
def _analyzer(language: str | None) -> Any:
    import tantivy

    # `words` has already cut and lowered the text, in one way for all fields.
    builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    return (builder.filter(tantivy.Filter.stemmer(STEMMERS[language])) if language else builder).build()


def stem(language: str, word: str) -> str:
    """The stem of a word of a language, the word itself where there is no stemmer."""
    return _stem(language, word) if language in STEMMERS else word


def _stem(language: str, word: str) -> str:
    return str(_analyzer(language).analyze(word)[0])
