"""What synthetic records are drawn from: the real records of the starter catalogue, cut into reusable pieces."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

STARTER = Path(__file__).resolve().parents[1] / "ingest" / "starter"

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])")

Fields = dict[str, Any]


@dataclass(frozen=True)
class Pools:
    """Templates (whole real records: which fields they have, how long their lists are) and the pieces put into them."""

    templates: list[Fields] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    tails: list[str] = field(default_factory=list)
    native: dict[str, list[str]] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    leads: list[Fields] = field(default_factory=list)
    lists: dict[str, list[Any]] = field(default_factory=dict)


LISTS = (
    "needs",
    "barriers",
    "evidence",
    "uptake",
    "partners",
    "technologies",
    "legal",
    "standards",
    "sources",
)
"""Fields whose items move freely between records; vocabulary codes and places stay with their template."""


def read(folder: Path = STARTER) -> Pools:
    """The pieces of a catalogue, in its own order, so that the same catalogue always gives the same pools."""
    lines = (
        line
        for path in sorted((folder / "catalogue").glob("*.jsonl"))
        for line in path.open(encoding="utf-8")
    )
    pools = Pools(templates=[json.loads(line) for line in lines])
    for record in pools.templates:
        pools.sentences.extend(_SENTENCE.split(record["description"]))
        head, tail = _halves(record["title"])
        pools.heads.append(head)
        pools.tails.append(tail)
        if "title_native" in record and "lang_native" in record:
            pools.native.setdefault(record["lang_native"], []).append(record["title_native"])
        if "lead" in record:
            pools.leads.append(record["lead"])
        pools.hosts.extend(
            urlsplit(source["url"])._replace(query="", fragment="").geturl() for source in record["sources"]
        )
        for name in LISTS:
            pools.lists.setdefault(name, []).extend(record.get(name, []))
    return pools


def _halves(title: str) -> tuple[str, str]:
    words = title.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle]), " ".join(words[middle:])
