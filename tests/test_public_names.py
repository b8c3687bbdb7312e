"""What `from dhu_graph import …` offers, and that the package stays cheap to import."""

import subprocess
import sys

import dhu_graph


def test_the_public_names_are_these() -> None:
    assert sorted(dhu_graph.__all__) == ["DhuError", "Document", "Engine", "Filter", "Hit", "__version__"]
    assert all(getattr(dhu_graph, name) is not None for name in dhu_graph.__all__)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import dhu_graph, dhu_graph.cli, sys; print([m for m in ('torch', 'faiss', 'tantivy', 'pyoxigraph', 'rdflib', 'fastapi') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
