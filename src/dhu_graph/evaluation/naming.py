"""How well the filters that questions name are recognised, on the judged set for search."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dhu_graph.evaluation.searching import Question
from dhu_graph.search import Named


def recognised(
    questions: Iterable[Question],
    read: Callable[[str], Iterable[Named]],
    values: Mapping[str, Iterable[str]],
) -> list[dict[str, Any]]:
    """Rows of precision and recall for each column and for all.

    `values` are those that documents have: a judged value that no document has cannot be offered and does not count.
    """
    counted: Counter[tuple[str, str]] = Counter()
    for question in questions:
        judged = set(_judged(question.filters, values))
        found = {(name.column, name.value) for name in read(question.text) if not name.hint}
        for column, _ in judged:
            counted[column, "named"] += 1
        for pair in found:
            counted[pair[0], "found"] += 1
            counted[pair[0], "right"] += pair in judged
    columns = sorted({column for column, _ in counted})
    for column in columns:
        for what in ("named", "found", "right"):
            counted["all", what] += counted[column, what]
    return [
        {
            "column": column,
            "named": counted[column, "named"],
            "found": counted[column, "found"],
            "precision": round(counted[column, "right"] / max(counted[column, "found"], 1), 3),
            "recall": round(counted[column, "right"] / max(counted[column, "named"], 1), 3),
        }
        for column in ("all", *columns)
    ]


def _judged(filters: Mapping[str, Any], values: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str]]:
    for column, told in filters.items():
        if isinstance(told, list):
            yield from ((column, value) for value in told if value in values.get(column, ()))
    if {"from", "to"} & set(filters):
        yield "year", f"{filters.get('from', '')}-{filters.get('to', '')}"
