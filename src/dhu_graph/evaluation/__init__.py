"""How well the radar does on judged sets: search (`searching`), identity (`linking`) and enrichment (`enriching`)."""

from dhu_graph.evaluation.answering import calibrated
from dhu_graph.evaluation.enriching import held_out
from dhu_graph.evaluation.linking import measure
from dhu_graph.evaluation.naming import recognised
from dhu_graph.evaluation.report import Report, keep, report
from dhu_graph.evaluation.searching import Question, Scores, evaluate, judged, scores

__all__ = [
    "Question",
    "Report",
    "Scores",
    "calibrated",
    "evaluate",
    "held_out",
    "judged",
    "keep",
    "measure",
    "recognised",
    "report",
    "scores",
]
