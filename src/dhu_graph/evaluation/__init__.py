"""How well the radar does on judged sets: search (`searching`), identity (`linking`) and enrichment (`enriching`)."""

from dhu_graph.evaluation.enriching import held_out
from dhu_graph.evaluation.linking import measure
from dhu_graph.evaluation.searching import evaluate, judged

__all__ = ["evaluate", "held_out", "judged", "measure"]
