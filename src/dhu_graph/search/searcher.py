"""Search: a question becomes candidates from vectors and words, each is scored in full, the best come back as hits.

    question → words, vector → candidates (texts ∪ windows ∪ words, all within the filter) → score → hits

The score is that of `index/search.toml`: centred vectors find the meaning in any language, the covered words favour what
people named. It does not depend on the size of the corpus, on the filter or on how many hits are asked for.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dhu_graph.embedding import Embedder
from dhu_graph.errors import ReleaseError, UsageError
from dhu_graph.index import Index, Rows, Term, Vectors, windows
from dhu_graph.model import Filter, Hit
from dhu_graph.search.confidence import DEPTH, NO_GOOD_MATCH, Confidence, features
from dhu_graph.search.highlight import spans
from dhu_graph.search.lexicon import folded
from dhu_graph.search.question import Question, Reader
from dhu_graph.search.scores import Scored, Scores, ranked, unit
from dhu_graph.search.weights import Weights

NOTHING = Filter()
"""The filter that passes everything."""

WORLD = ("EUR",)
"""What stands for all countries."""

LONGEST_DRAFT, PIECE = 20_000, 1_500
"""Characters of a text that are read for what is like it, and of each piece that is embedded by itself."""

SAME_THING = 0.9
"""Centred cosine from which two documents are versions of one thing, and the second stands behind the others."""

ALIKE_TERMS = 25
"""Words of a document that ask for similar ones, where there are no vectors."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits, the question as it was read, and how likely an answer is there (0–1; None where words alone decided)."""

    question: Question
    hits: list[Hit]
    confidence: float | None

    @property
    def good(self) -> bool:
        """Whether to tell people that there is a match."""
        return bool(self.hits) and (self.confidence is None or self.confidence >= NO_GOOD_MATCH)


class Searcher:
    """Answers questions from an opened index; many threads may ask at once.

    Without an embedder, or over an index without vectors, words alone decide (BM25). Raises ReleaseError when the
    embedder is not the one the index was built with.
    """

    def __init__(
        self,
        index: Index,
        embedder: Embedder | None,
        weights: Weights | None = None,
        reader: Reader | None = None,
        confidence: Confidence | None = None,
    ) -> None:
        self._confidence = confidence or Confidence.read()
        self._reader = reader or Reader(in_documents=index.text.holds)
        self._index, self._documents = index, index.documents
        self._weights = weights or Weights.read()
        self._embedder = embedder if index.vectors else None
        if self._embedder and index.vectors and self._embedder.fingerprint != index.vectors.fingerprint:
            built = index.manifest["model"]["name"]
            raise ReleaseError(
                f"The index was built with another model ({built!r}, {index.vectors.fingerprint}) than is set now "
                f"({self._embedder.name!r}, {self._embedder.fingerprint}).",
                "Set DHU_MODEL, DHU_PRECISION and the passage prompt as they were, or build again.",
            )

    def search(
        self, query: str, filter: Filter = NOTHING, limit: int = 10, offset: int = 0, words_only: bool = False
    ) -> list[Hit]:
        """The best documents for a question in any language, best first; ties are broken by row.

        What stands in quotes an answer must hold, what has a minus it must not. With `words_only` meaning plays no
        part. Raises UsageError on an empty question, an unknown filter column, or a limit below 1.
        """
        return self.answer(query, filter, limit, offset, words_only).hits

    def search_all(
        self, queries: Sequence[str], filter: Filter = NOTHING, limit: int = 10, offset: int = 0
    ) -> list[list[Hit]]:
        """`search` for many questions; embedding them together is several times faster."""
        return [answer.hits for answer in self._answers(queries, filter, limit, offset, False)]

    def answer(
        self, query: str, filter: Filter = NOTHING, limit: int = 10, offset: int = 0, words_only: bool = False
    ) -> Answer:
        """The hits, the question as it was read, and how likely it is that an answer is among all that pass."""
        (found,) = self._answers([query], filter, limit, offset, words_only)
        return found

    def listed(
        self, filter: Filter = NOTHING, limit: int = 10, offset: int = 0, sort: str = "title"
    ) -> list[Hit]:
        """What passes a filter, without a question, by `title` or by `year` (latest first)."""
        rows = self._documents.sorted(self._documents.rows(filter), sort)[offset : offset + limit]
        documents = [self._documents.get(row) for row in rows.tolist()]
        return [Hit(document, 0.0, document.summary) for document in documents]

    def sorted(self, hits: list[Hit], sort: str) -> list[Hit]:
        """Hits in another order than that of their scores: by `title` or by `year`."""
        by_row = {self._documents.row(hit.document.iri): hit for hit in hits}
        rows = self._documents.sorted(np.array(sorted(by_row), dtype=np.int64), sort)
        return [by_row[row] for row in rows.tolist()]

    @property
    def by_meaning(self) -> bool:
        """Whether there are vectors to search by."""
        return self._embedder is not None

    def features(
        self, queries: Sequence[str], without: Sequence[Collection[str]] | None = None
    ) -> NDArray[np.float64]:
        """What confidence is told by, for each question; `without` are IRIs of documents that are left out of each."""
        found = []
        questions = [self._reader.read(query, self._weights.longest) for query in queries]
        gone = [set(map(self._documents.row, iris)) for iris in without or [()] * len(queries)]
        for question, ranking in zip(
            questions, self._rankings(questions, gone, self._everything, DEPTH, False), strict=True
        ):
            found.append(self._features(question, ranking))
        return np.array(found)

    def _answers(
        self, queries: Sequence[str], filter: Filter, limit: int, offset: int, words_only: bool
    ) -> list[Answer]:
        if limit < 1 or offset < 0:
            raise UsageError("The limit must be at least 1 and the offset at least 0.")
        questions = [self._reader.read(query, self._weights.longest) for query in queries]
        within = self._documents.rows(filter) if filter else None
        wanted = max(offset + limit, DEPTH)
        rankings = self._rankings(questions, None, within, wanted, words_only)
        answers = []
        for question, ranking in zip(questions, rankings, strict=True):
            chance = None
            if ranking and self._embedder and not words_only:
                chance = float(self._confidence.of(self._features(question, ranking)[None])[0])
            hits = [self._hit(scored, question) for scored in ranking[offset : offset + limit]]
            answers.append(Answer(question, hits, chance))
        return answers

    def _rankings(
        self,
        questions: Sequence[Question],
        gone: Sequence[Collection[int]] | None,
        within: Rows | None,
        wanted: int,
        words_only: bool,
    ) -> list[list[Scored]]:
        allowed = [self._allowed(question, within) for question in questions]
        for number, rows in enumerate(gone or ()):
            if rows:
                some = allowed[number]
                allowed[number] = np.setdiff1d(self._everything if some is None else some, list(rows))
        vectors = self._index.vectors
        if not self._embedder or words_only or not vectors:
            text = self._index.text
            return [
                self._by_words(text.terms(question.plain), rows, wanted)
                for question, rows in zip(questions, allowed, strict=True)
            ]
        # The gloss of a question is embedded beside it.
        texts = [text for question in questions for text in question.wordings]
        asked = iter(self._embedder.queries(texts) if texts else ())
        return [
            self._by_meaning(vectors, question, [next(asked) for _ in question.wordings], rows, wanted)
            for question, rows in zip(questions, allowed, strict=True)
        ]

    def _features(self, question: Question, ranking: list[Scored]) -> NDArray[np.float64]:
        return features([one.score for one in ranking], [one.parts for one in ranking], question.known)

    def read(self, query: str) -> Question:
        """The question as it is understood: what it names, must hold, must not hold."""
        return self._reader.read(query, self._weights.longest)

    def _allowed(self, question: Question, rows: Rows | None) -> Rows | None:
        """The rows that hold all that stands in quotes and nothing that has a minus."""
        if not question.must and not question.without:
            return rows
        text = self._index.text
        chosen = self._everything if rows is None else rows
        for phrase in question.must:
            chosen = text.holding(phrase, chosen)
            tokens = " ".join(folded(phrase))
            chosen = np.array(
                [
                    row
                    for row in chosen.tolist()
                    if f" {tokens} " in f" {' '.join(folded(self._documents.get(row).text))} "
                ],
                dtype=np.int64,
            )
        for word in question.without:
            chosen = np.setdiff1d(chosen, text.holding(word, chosen), assume_unique=True)
        return chosen

    def similar(self, iri: str | Sequence[str], filter: Filter = NOTHING, limit: int = 10) -> list[Hit]:
        """The documents most like one, or most like several together, in any language, without these themselves.

        Cosines of centred vectors, of several their mean; versions of one thing stand behind other things. Raises
        UnknownName where there is no such document.
        """
        if limit < 1:
            raise UsageError("The limit must be at least 1.")
        given = [self._documents.row(each) for each in ([iri] if isinstance(iri, str) else iri)]
        if not given:
            raise UsageError("Nothing was named that the others could be like.")
        rows = self._without(given, filter)
        if vectors := self._index.vectors:
            own = unit(vectors.whole.centred(np.array(given))).mean(axis=0)
            found = self._alike(vectors, own, rows, limit)
        else:
            telling = [term for row in given for term in self._telling_words(self._documents.get(row).text)]
            found = self._by_words(telling, rows, limit)
        return [self._hit(scored) for scored in found[:limit]]

    def alike(self, text: str, filter: Filter = NOTHING, limit: int = 10) -> list[Hit]:
        """The documents most like a text, such as a draft: what is like it that stands here already?

        A long text is read in pieces. Raises UsageError where it is empty.
        """
        if limit < 1:
            raise UsageError("The limit must be at least 1.")
        plain = " ".join("".join(c if c.isprintable() else " " for c in text[:LONGEST_DRAFT]).split())
        if not plain:
            raise UsageError("The text is empty.", "Send the text of a draft, in any EU language.")
        rows = self._documents.rows(filter) if filter else None
        vectors = self._index.vectors
        if not vectors or not self._embedder:
            return [self._hit(one) for one in self._by_words(self._telling_words(plain), rows, limit)]
        pieces = [plain[at : at + PIECE] for at in range(0, len(plain), PIECE)]
        own = unit(self._embedder.passages(pieces) - vectors.whole.centre).mean(axis=0)
        return [self._hit(one) for one in self._alike(vectors, own, rows, limit)[:limit]]

    def _without(self, given: Sequence[int], filter: Filter) -> Rows:
        rows = self._documents.rows(filter) if filter else self._everything
        return np.setdiff1d(rows, np.array(given, dtype=np.int64), assume_unique=False)

    def count(self, filter: Filter = NOTHING) -> int:
        """How many documents pass a filter: the total behind any search, since every one of them has a score."""
        return len(self._documents.rows(filter))

    def facets(self, filter: Filter = NOTHING) -> dict[str, dict[str, int]]:
        """For each filter column, how many of the documents that pass the filter have each value."""
        return self._documents.facets(self._documents.rows(filter) if filter else None)

    @cached_property
    def _everything(self) -> Rows:
        return np.arange(len(self._documents), dtype=np.int64)

    def _by_meaning(
        self,
        vectors: Vectors,
        question: Question,
        asked: list[NDArray[np.float32]],
        rows: Rows | None,
        wanted: int,
    ) -> list[Scored]:
        w = self._weights
        terms = [self._index.text.terms(text) for text in question.wordings]
        each = [self._candidates(vectors, *pair, rows, wanted) for pair in zip(asked, terms, strict=True)]
        candidates = np.unique(np.concatenate(each))
        if not len(candidates):
            return []
        own = self._scored(vectors, asked[0], terms[0], candidates)
        if question.gloss:
            share = w.gloss * min(
                1.0, max(0.0, (question.known - w.gloss_from) / (w.gloss_full - w.gloss_from))
            )
            own = own.mixed(self._scored(vectors, asked[1], terms[1], candidates), share)
        named = self._named(question, candidates)
        score = own.score + named
        found = []
        for place, row in enumerate(candidates.tolist()):
            parts = {
                "whole": float(own.whole[place]),
                "window": float(own.best[place]),
                "coverage": float(own.covered[place]),
                "named": float(named[place]),
            }
            found.append(Scored(row, float(score[place]), parts, int(own.window[place])))
        return ranked(found)

    def _scored(
        self, vectors: Vectors, query: NDArray[np.float32], terms: list[Term], candidates: Rows
    ) -> Scores:
        w = self._weights
        whole = vectors.whole.scores(query, candidates)
        ids = vectors.windows_of(candidates)
        counts = vectors.starts[candidates + 1] - vectors.starts[candidates]
        begins = np.cumsum(counts) - counts
        each = vectors.windows.scores(query, ids)
        best = np.maximum.reduceat(each, begins)
        window = np.array([int(each[b : b + n].argmax()) for b, n in zip(begins, counts, strict=True)])
        held = self._index.text.coverage(terms, len(candidates), candidates)
        covered = np.array([held.get(row, 0.0) for row in candidates.tolist()], dtype=np.float64)
        score = w.whole * whole + w.window * best + w.coverage * np.maximum(0.0, covered - w.coverage_from)
        return Scores(score.astype(np.float64), whole, best, window, covered)

    def _named(self, question: Question, candidates: Rows) -> NDArray[np.float64]:
        """What is added for what the question names: never a must, or one wrong guess would hide the answer."""
        added = np.zeros(len(candidates))
        for column, weight in self._weights.lifted:
            values = [name.value for name in question.named if name.column == column]
            if values:
                passing = self._documents.rows(Filter({column: frozenset(values)}))
                added += weight * np.isin(candidates, passing)
                if column == "country":  # of other countries, and of those alone
                    everywhere = self._documents.rows(Filter({column: frozenset({*values, *WORLD})}))
                    somewhere = self._documents.having(column)
                    added -= (
                        0.3 * weight * (np.isin(candidates, somewhere) & ~np.isin(candidates, everywhere))
                    )
        return added

    def _candidates(
        self, vectors: Vectors, query: NDArray[np.float32], terms: list[Term], rows: Rows | None, wanted: int
    ) -> Rows:
        """The rows worth scoring in full, ascending."""
        w = self._weights
        within = self._everything if rows is None else rows
        if len(within) <= max(w.all_below, wanted):
            return within
        texts = vectors.whole.top(query, max(w.texts, wanted), rows)
        passages = vectors.windows.owners[vectors.windows.top(query, max(w.windows, wanted), rows)]
        words = self._index.text.coverage(terms, max(w.words, wanted), rows)
        return np.unique(np.concatenate([texts, passages, np.fromiter(words, dtype=np.int64)]))

    def _by_words(self, terms: list[Term], rows: Rows | None, wanted: int) -> list[Scored]:
        text = self._index.text
        scores = text.bm25(terms, wanted, rows)
        covered = text.coverage(terms, len(scores), list(scores))
        return ranked([Scored(row, score, {"coverage": covered[row]}) for row, score in scores.items()])

    def _alike(
        self, vectors: Vectors, own: NDArray[np.float32], rows: Rows | None, wanted: int
    ) -> list[Scored]:
        if rows is not None and len(rows) <= max(self._weights.all_below, wanted):
            candidates = rows
        else:
            candidates = np.sort(vectors.whole.top(own, max(self._weights.texts, wanted), rows))
        if not len(candidates):
            return []
        others = unit(vectors.whole.centred(candidates))
        cosines = others @ unit(own[None])[0]
        place = {row: at for at, row in enumerate(candidates.tolist())}
        pairs = zip(candidates.tolist(), cosines.tolist(), strict=True)
        first: list[Scored] = []
        behind: list[Scored] = []
        for one in ranked([Scored(other, cosine, {"whole": cosine}) for other, cosine in pairs]):
            if len(first) >= wanted:
                break
            near = [place[chosen.row] for chosen in first]
            same = bool(near) and float((others[near] @ others[place[one.row]]).max()) > SAME_THING
            (behind if same else first).append(one)
        return [*first, *behind]

    def _telling_words(self, text: str) -> list[Term]:
        """The rarest words of a text that others may share."""
        terms = self._index.text.terms(text)
        return sorted(terms, key=lambda term: -term.share)[:ALIKE_TERMS]

    def _hit(self, scored: Scored, question: Question | None = None) -> Hit:
        document = self._documents.get(scored.row)
        passage = document.summary if scored.window is None else windows(document.text)[scored.window]
        parts = {name: round(part, 6) for name, part in scored.parts.items()}
        if question is None:
            return Hit(document, scored.score, passage, parts)
        met = spans(passage, question, self._reader.lexicon, document.language.split("-")[0] or "en")
        return Hit(document, scored.score, passage, parts, tuple(met))
