"""Standards that a text names, by the table `enrich/standards.tsv`."""

import csv
import re
from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph import assets
from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import ALTERNATIVE, DESCRIPTION, KEYWORD, TITLE, Facts

METHOD, CONFIDENCE = "standard-in-text", 0.85


class Standards:
    """Finds standards under the names that the table gives; `case` asks for the very case of the letters."""

    def __init__(self) -> None:
        with (assets.folder("enrich") / "standards.tsv").open(encoding="utf-8", newline="") as lines:
            self._table = [
                (
                    row["name"],
                    re.compile(
                        rf"(?<![\w-])(?:{row['pattern']})(?!\w)", 0 if row["match"] == "case" else re.I
                    ),
                )
                for row in csv.DictReader(lines, delimiter="\t")
            ]

    def within(self, text: str) -> Iterator[tuple[str, str]]:
        """(canonical name, the words) of each standard named."""
        for name, pattern in self._table:
            if match := pattern.search(text):
                yield name, match.group()

    def derive(self, facts: Facts) -> Iterator[Derivation]:
        """Those that the source does not state already, in whatever words."""
        stated = {text for _, _, text in facts.texts("standard")}
        known = stated | {name for text in stated for name, _ in self.within(text)}
        found: dict[str, str] = {}
        for _, _, text in facts.texts(TITLE, ALTERNATIVE, DESCRIPTION, KEYWORD, "technologyText"):
            for name, words in self.within(text):
                found.setdefault(name, words)
        for name, words in sorted(found.items()):
            if name not in known:
                yield Derivation(
                    facts.iri, facts.ns + "standard", ox.Literal(name), METHOD, CONFIDENCE, words
                )
