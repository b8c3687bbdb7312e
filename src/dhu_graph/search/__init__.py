"""Search: a question in plain words, in any EU language, becomes hits that say why they were found."""

from dhu_graph.search.searcher import NOTHING, Searcher, Weights

__all__ = ["NOTHING", "Searcher", "Weights"]
