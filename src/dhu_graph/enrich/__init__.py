"""Enrichment by rule: what the texts and the stated values of a source imply, each with its evidence → `graph/derived`.

`Enricher.run` reads top to bottom: one source graph → facts of each resource → rules → sorted statements with the
method, the confidence and the matched words of each. Nothing that a source states is repeated or overridden.
"""

from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import Facts
from dhu_graph.enrich.merging import in_the_way, lines
from dhu_graph.enrich.run import Enricher, Rules, code

__all__ = ["Derivation", "Enricher", "Facts", "Rules", "code", "in_the_way", "lines"]
