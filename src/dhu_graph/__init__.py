"""DHU Graph: the radar of digital-health uptake in Europe."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dhu_graph.engine import Engine
    from dhu_graph.errors import DhuError
    from dhu_graph.model import Document, Filter, Hit

__version__ = "0.1.0"
__all__ = ["DhuError", "Document", "Engine", "Filter", "Hit", "__version__"]

_HOME = {
    "Engine": "dhu_graph.engine",
    "DhuError": "dhu_graph.errors",
    "Document": "dhu_graph.model",
    "Filter": "dhu_graph.model",
    "Hit": "dhu_graph.model",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: a query worker and `dhu --help` import this package and need none of it.
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'dhu_graph' has no attribute {name!r}")
