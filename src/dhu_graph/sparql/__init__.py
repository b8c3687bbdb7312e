"""SPARQL over a read-only store: a guard, content negotiation, and worker processes that can be killed.

The worker runs inside its own process and must start fast, so nothing heavy is imported until it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dhu_graph.sparql.formats import NotAcceptable as NotAcceptable
    from dhu_graph.sparql.formats import negotiate as negotiate
    from dhu_graph.sparql.guard import Checked as Checked
    from dhu_graph.sparql.guard import check as check
    from dhu_graph.sparql.pool import Answer as Answer
    from dhu_graph.sparql.pool import QueryPool as QueryPool

__all__ = ["Answer", "Checked", "NotAcceptable", "QueryPool", "check", "negotiate"]

_HOME = {
    "Answer": "pool",
    "Checked": "guard",
    "NotAcceptable": "formats",
    "QueryPool": "pool",
    "check": "guard",
    "negotiate": "formats",
}


def __getattr__(name: str) -> object:
    """The public names, each imported from its module when first used."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
