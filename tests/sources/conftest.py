"""What the tests of hostile input need: an ingest of given bytes within a time bound, and a place for big files."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dhu_graph import sources
from dhu_graph.ontology import Ontology
from hostile import Landed, Run


@pytest.fixture
def run(make_source, ontology: Ontology, tmp_path: Path) -> Run:  # type: ignore[no-untyped-def]
    """See `hostile.Run`."""

    def run(name: str, content: bytes, file: str = "", id: str = "id", **how: Any) -> Landed:
        source: sources.Source = make_source(file=file or name, **{"format": name.rsplit(".", 1)[-1], **how})
        inputs = tuple(item.model_copy(update={"id": id}) for item in source.input)
        source = source.model_copy(update={"input": inputs})
        (tmp_path / name).write_bytes(content)
        begun = time.monotonic()
        landed = Landed(source, tmp_path / name, tmp_path / "data", ontology)
        assert time.monotonic() - begun < 20
        return landed

    return run


@pytest.fixture
def big(tmp_path: Path) -> Iterator[Path]:
    """A folder for files that are deleted at once."""
    yield tmp_path
    for path in tmp_path.glob("big*"):
        path.unlink()
