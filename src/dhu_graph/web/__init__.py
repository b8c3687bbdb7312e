"""The HTTP face over `Engine`: SPARQL, the search API, linked-data documents, and plain pages."""

from dhu_graph.web.app import create_app
from dhu_graph.web.server import bound, serve

__all__ = ["bound", "create_app", "serve"]
