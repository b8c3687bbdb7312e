"""A small source to be written in a test, and helpers to look at what became of it."""

import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from dhu_graph import Engine, quads

SMALL_TOML = """
title = "Small source"
summary = "A source made for a test."
publisher = "Nobody"
homepage = "https://small.example.org/"
licence = "http://creativecommons.org/licenses/by/4.0/"
{more}
[[input]]
file = "{file}"
format = "{format}"
id = "id"
{input}
"""

SMALL_MAP = """
CONSTRUCT {
  ?s a dhu:GoodPractice ; dct:title ?title ; dct:description ?description ; dct:spatial ?place ;
     dhu:startYear ?start ; dhu:endYear ?end ; dcat:keyword ?word .
}
WHERE {
  ?r raw:is raw:Record ; raw:id ?id .
  BIND(fn:iri(?r, "practice", STR(?id)) AS ?s)
  { ?r raw:is raw:Record BIND(dhu:GoodPractice AS ?class) }
  UNION { ?r raw:title ?x BIND(STRLANG(STR(?x), "en") AS ?title) }
  UNION { ?r raw:description ?x BIND(STRLANG(STR(?x), "en") AS ?description) }
  UNION { ?r raw:country ?x BIND(fn:country(?x) AS ?place) }
  UNION { ?r raw:start ?x BIND(fn:year(STR(?x)) AS ?start) }
  UNION { ?r raw:end ?x BIND(fn:year(STR(?x)) AS ?end) }
  UNION { ?r raw:words ?x BIND(STRLANG(STR(?x), "en") AS ?word) }
}
"""


def loaded(engine: Engine) -> ox.Store:
    """The truth of the current release, the sorted N-Quads, in memory."""
    store = ox.Store()
    store.bulk_load(b"".join(quads.read(engine.shelf.get().graph)), ox.RdfFormat.N_QUADS)
    return store


def practice(number: int | str, **fields: Any) -> dict[str, Any]:
    """A record of the small source that is in order, with other fields on top."""
    return {
        "id": str(number),
        "title": f"Practice {number}",
        "description": f"An invented practice with the number {number}.",
        "country": "GR",
        **fields,
    }


def write_lines(path: Path, *records: dict[str, Any] | bytes) -> Path:
    """A JSON Lines file; bytes go in as they are."""
    lines = [r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode() for r in records]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path
