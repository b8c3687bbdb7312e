"""Contributions of outsiders: a template to fill in, checks that name the cell, a moderation queue, and the way into the graph.

template → file → checks (values, map, shapes) → queue → a moderator accepts → accepted.jsonl → ingest → release
"""

from dhu_graph.contributions.checks import Checked, Fault, Row
from dhu_graph.contributions.desk import Desk, Received
from dhu_graph.contributions.queue import STATES, Entry, Placed

__all__ = ["STATES", "Checked", "Desk", "Entry", "Fault", "Placed", "Received", "Row"]
