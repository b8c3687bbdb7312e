"""Decisions of people about pairs: a log that is only added to; the latest-dated one of a pair counts."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from dhu_graph.errors import BadInput, UsageError

VERDICTS = ("same", "different", "undecided")
"""What a person may say; `undecided` takes earlier decisions back and leaves the pair to the machine."""


@dataclass(frozen=True, slots=True, order=True)
class Decision:
    """What a person said of a pair, and when (UTC, ISO 8601)."""

    date: str
    left: str
    right: str
    verdict: str
    note: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The two IRIs, the smaller first."""
        return (min(self.left, self.right), max(self.left, self.right))


class Decisions:
    """The log `links/decisions.jsonl` of a data folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "decisions.jsonl"

    def add(self, decision: Decision) -> None:
        """Adds a decision. Raises UsageError for a verdict that there is not, or one thing with itself."""
        if decision.verdict not in VERDICTS:
            raise UsageError(f"{decision.verdict!r} is no verdict.", f"Say one of {', '.join(VERDICTS)}.")
        if decision.left == decision.right:
            raise UsageError("A thing is always the same as itself.", "Give two IRIs.")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(asdict(decision), ensure_ascii=False) + "\n")
            log.flush()
            os.fsync(log.fileno())

    def all(self) -> list[Decision]:
        """Every decision ever made, in the order of their dates. Raises BadInput naming a line that is none."""
        if not self.path.is_file():
            return []
        found = []
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                try:
                    found.append(Decision(**json.loads(line)))
                except (ValueError, TypeError):
                    raise BadInput(
                        f"{self.path.name}, line {number} is no decision.", "Mend the line, or take it out."
                    ) from None
        return sorted(found)


def latest(decisions: Iterable[Decision]) -> dict[tuple[str, str], Decision]:
    """Pair → the latest-dated decision about it; the order in which they were written down does not matter."""
    found: dict[tuple[str, str], Decision] = {}
    for decision in sorted(decisions):
        found[decision.pair] = decision
    return {pair: decision for pair, decision in found.items() if decision.verdict != "undecided"}
