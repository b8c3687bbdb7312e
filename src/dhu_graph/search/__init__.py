"""Search: a question in plain words, in any EU language, becomes hits that say why they were found."""

from dhu_graph.search.lexicon import Lexicon
from dhu_graph.search.naming import Named, Names
from dhu_graph.search.question import Question, Reader
from dhu_graph.search.searcher import NOTHING, Searcher, Weights

__all__ = ["NOTHING", "Lexicon", "Named", "Names", "Question", "Reader", "Searcher", "Weights"]
