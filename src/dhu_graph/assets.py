"""Where the asset folders are: in a checkout at its top, in an installed wheel inside the package."""

from functools import cache
from pathlib import Path

from dhu_graph.errors import BadInput

FOLDERS = ("ontology", "ingest", "queries", "index", "enrich", "evaluation")


@cache
def root() -> Path:
    """The folder that holds `ontology/`, `ingest/`, `queries/`, `index/`, `enrich/` and `evaluation/`."""
    package = Path(__file__).resolve().parent
    for candidate in (package / "_assets", package.parents[1]):
        if (candidate / "ontology" / "dhu.ttl").is_file():
            return candidate
    raise BadInput(
        f"The asset folders ({', '.join(FOLDERS)}) were not found beside {package}.",
        "Install dhu-graph again.",
    )


def folder(name: str) -> Path:
    """One asset folder, e.g. `folder("ontology")`."""
    return root() / name
