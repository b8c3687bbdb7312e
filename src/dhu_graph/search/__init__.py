"""Search: a question in plain words, in any EU language, becomes hits that say why they were found."""

from dhu_graph.search.confidence import Confidence
from dhu_graph.search.highlight import marked
from dhu_graph.search.lexicon import Lexicon
from dhu_graph.search.naming import Named, Names
from dhu_graph.search.question import Question, Reader
from dhu_graph.search.searcher import NOTHING, Answer, Searcher
from dhu_graph.search.statement import sparql
from dhu_graph.search.suggesting import Suggester, Suggestion
from dhu_graph.search.weights import Weights

__all__ = [
    "NOTHING",
    "Answer",
    "Confidence",
    "Lexicon",
    "Named",
    "Names",
    "Question",
    "Reader",
    "Searcher",
    "Suggester",
    "Suggestion",
    "Weights",
    "marked",
    "sparql",
]
