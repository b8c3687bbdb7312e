"""The weights of ranking, as `index/search.toml` gives them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhu_graph import assets
from dhu_graph.errors import BadInput


@dataclass(frozen=True)
class Weights:
    """What `index/search.toml` says; see there for each number."""

    whole: float
    window: float
    coverage: float
    coverage_from: float
    gloss: float
    gloss_from: float
    gloss_full: float
    country: float
    region: float
    theme: float
    texts: int
    windows: int
    words: int
    all_below: int
    longest: int

    @property
    def lifted(self) -> tuple[tuple[str, float], ...]:
        """(column, how much a document of a value that the question names gains)."""
        return ("country", self.country), ("region", self.region), ("theme", self.theme)

    @classmethod
    def read(cls, path: Path | None = None) -> "Weights":
        """The weights of a file, by default of the asset. Raises BadInput where a number is missing or too many."""
        path = path or assets.folder("index") / "search.toml"
        try:
            tables: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(**{name: value for table in tables.values() for name, value in table.items()})
        except (OSError, TypeError, AttributeError, tomllib.TOMLDecodeError) as error:
            raise BadInput(f"{path} cannot be used: {error}") from error
