"""`dhu sources check`: what a folder lacks is said; the folders of the project lack nothing that is not known."""

from pathlib import Path

import pytest

from dhu_graph import Engine, sources
from small_sources import practice, write_lines

KNOWN = {"zenodo", "wikidata", "dcat-ap", "diga", "contributions"}
"""Sources that have no address yet, or none that can be asked without a key; docs/sources.md says why."""


@pytest.mark.parametrize("name", sources.names())
def test_the_sources_of_the_project_are_complete(name: str, tmp_path: Path) -> None:
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        found = engine.check(name)
    assert [f for f in found if not f.startswith("missing: ")] == []
    assert not found or name in KNOWN, found


def test_a_new_folder_is_told_what_it_lacks(make_source, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    source = make_source("fresh")
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        assert any("untested: 0 samples" in f for f in engine.check("fresh", folder=source.folder))
        write_lines(source.folder / "sample.jsonl", practice("1", colour="red"))
        found = engine.check("fresh", folder=source.folder)
    assert any(f.startswith("unmapped: colour (1 records") for f in found)
    assert any("there is no expected.ttl" in f for f in found)
    assert any(f.startswith("missing: `schedule`") for f in found)
    assert any(f.startswith("unlicensed") for f in found) or source.licence
