"""The search index of a release: documents with their filter columns, their words, and their vectors."""

from dhu_graph.index.builder import Progress, build
from dhu_graph.index.documents import Documents, Rows
from dhu_graph.index.reader import Index, Vectors, open_index
from dhu_graph.index.text import Term, Text, fold, stem, words
from dhu_graph.index.vectors import Space
from dhu_graph.index.windows import sentences, windows

__all__ = [
    "Documents",
    "Index",
    "Progress",
    "Rows",
    "Space",
    "Term",
    "Text",
    "Vectors",
    "build",
    "fold",
    "open_index",
    "sentences",
    "stem",
    "windows",
    "words",
]
