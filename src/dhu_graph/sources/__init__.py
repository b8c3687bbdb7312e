"""Sources: folders under `ingest/`, each saying in `source.toml` what it is and how it is read.

fetch (a folder of the project, a path, or an address) → bytes of each input → records, by a reader per format
"""

from dhu_graph.sources.config import Input, Source, load, names
from dhu_graph.sources.fetch import File, fetch
from dhu_graph.sources.records import Unreadable, records

__all__ = ["File", "Input", "Source", "Unreadable", "fetch", "load", "names", "records"]
