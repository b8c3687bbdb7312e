"""Each source with a sample: what becomes of it is what a person has judged to be right."""

from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, sources

NAMES = sources.names()


def sample(source: sources.Source) -> Path:
    (found,) = source.folder.glob("sample*")
    return found


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine.open(data=tmp_path / "data", embed=False)


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_becomes_the_expected_graph(name: str, engine: Engine) -> None:
    """If the change is meant: `python tools/golden.py NAME`, and read the difference."""
    source = sources.load(name)
    report, lines = engine.validate(name, str(sample(source)))
    assert not report.findings, report.examples
    # A store writes numbers and times in one way, so that `100.0` and `100` are the same.
    made, expected = ox.Store(), ox.Store()
    made.load("\n".join(lines).encode(), ox.RdfFormat.N_TRIPLES)
    expected.load((source.folder / "expected.ttl").read_bytes(), ox.RdfFormat.TURTLE)
    assert sorted(map(str, set(made) - set(expected))) == []
    assert sorted(map(str, set(expected) - set(made))) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_lands_as_it_was_previewed(name: str, engine: Engine, tmp_path: Path) -> None:
    """The preview and the real path make the same triples, but for the time of retrieval."""
    source = sources.load(name)
    report, lines = engine.validate(name, str(sample(source)))
    with engine:
        # The sample is smaller than what `expect` asks of a whole harvest.
        relaxed = source.model_copy(update={"expect": type(source.expect)()})
        from dhu_graph import ingest, quads
        from dhu_graph.ingest import State

        landed = ingest.ingest(relaxed, str(sample(source)), engine.settings.data, engine.ontology)
        graph = quads.read(State(engine.settings.data / "sources" / name).graph)
        suffix = f"<https://w3id.org/dhu/graph/{name}> .\n"
        written = {line.decode().removesuffix(suffix) + "." for line in graph}
    assert (landed.landed, landed.in_scope, landed.out_of_scope) == (
        report.landed,
        report.in_scope,
        report.out_of_scope,
    )
    timeless = [{line for line in each if "#firstRetrieved>" not in line} for each in (written, lines)]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_sample_is_mapped_or_ignored(name: str, engine: Engine) -> None:
    report, _ = engine.validate(name, str(sample(sources.load(name))))
    assert report.unmapped == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_keeps_nothing(name: str, engine: Engine) -> None:
    engine.validate(name, str(sample(sources.load(name))))
    assert not list((engine.settings.data).rglob("*.gz")) and not (engine.settings.data / "sources").exists()


def test_every_sample_says_that_it_is_invented() -> None:
    for name in NAMES:
        text = "".join(p.read_text(encoding="utf-8") for p in [sample(sources.load(name))] if p.is_file())
        assert not text or "invented" in text and "fictional" in text
