"""How well the radar does on judged sets: search (`searching`) and identity (`linking`)."""

from dhu_graph.evaluation.linking import measure
from dhu_graph.evaluation.searching import evaluate, judged

__all__ = ["evaluate", "judged", "measure"]
