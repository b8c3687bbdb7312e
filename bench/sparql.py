"""Queries through the worker pool against the same queries in this process, over a release of N synthetic records."""

import time
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from dhu_graph import Engine

QUERIES = {
    "point_lookup": "SELECT ?p ?o { <https://w3id.org/dhu/id/dataset/uptake> ?p ?o }",
    "facet_country": "SELECT ?c (COUNT(DISTINCT ?s) AS ?n) { ?s dct:spatial ?c ; dct:description ?d } GROUP BY ?c",
}


def run(data: Path) -> dict[str, Any]:
    """Median milliseconds of each query by both ways, and their ratio. `data` holds a built radar."""
    found: dict[str, Any] = {}
    with Engine.open(data=data, embed=False) as radar, radar.reading() as opened:
        store = ox.Store.read_only(str(opened.release.store))
        for name, query in QUERIES.items():

            def bare(query: str = query) -> object:
                results = store.query(
                    query, use_default_graph_as_union=True, prefixes=radar.ontology.prefixes
                )
                assert isinstance(results, ox.QuerySolutions)
                return results.serialize(format=ox.QueryResultsFormat.JSON)

            def pooled(query: str = query) -> object:
                with opened.pool.query(query) as answer:
                    return b"".join(answer)

            pairs = [(_ms(bare), _ms(pooled)) for _ in range(21)]
            own, pool = (sorted(side)[10] for side in zip(*pairs, strict=True))
            found |= {f"{name}_bare_ms": own, f"{name}_pool_ms": pool, f"{name}_pool_over_bare": pool / own}
    return found


def _ms(call: Any) -> float:
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000
