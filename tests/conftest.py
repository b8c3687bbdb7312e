"""What several rooms need: the shared material, radars built once, and a way to make a small source of one's own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, sources
from dhu_graph import ontology as ontology_module
from dhu_graph.ontology import Ontology
from small_sources import SMALL_MAP, SMALL_TOML, loaded

for _name in [name for name in os.environ if name.startswith("DHU_") and name != "DHU_CACHE"]:
    del os.environ[_name]  # a setting of the person who runs the tests must not change what they say


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared material beside the checkout."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the shared material, a folder `shared` beside the checkout")
    return folder


@pytest.fixture(scope="session")
def jrc_cases(shared: Path) -> Path:
    """The native file of the JRC cases."""
    return shared / "data" / "jrc-ips-explorer" / "data" / "cases.csv"


@pytest.fixture(scope="session")
def ontology() -> Ontology:
    """The ontology under the default base."""
    return ontology_module.load()


@pytest.fixture(scope="session")
def radar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The starter radar, record by record: without links and embeddings. Only to be read."""
    with Engine.open(data=tmp_path_factory.mktemp("radar"), embed=False, link=False) as engine:
        built = engine.build()
        assert not built.failed and not built.findings
        yield engine


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, jrc_cases: Path) -> Iterator[Engine]:
    """The radar of all three sources, without embeddings. Only to be read."""
    with Engine.open(data=tmp_path_factory.mktemp("whole"), embed=False) as engine:
        engine.build()
        engine.ingest("jrc-ips", str(jrc_cases))
        yield engine


@pytest.fixture(scope="session")
def whole_graph(whole: Engine) -> ox.Store:
    """All quads of the whole radar, in memory."""
    return loaded(whole)


@pytest.fixture(scope="session")
def radar_graph(radar: Engine) -> ox.Store:
    """All quads of the starter radar, in memory."""
    return loaded(radar)


MakeSource = Callable[..., sources.Source]


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    """Makes a source folder: `make_source(name="small", map=…, format="jsonl", more="", input="")`."""

    def make(
        name: str = "small",
        map: str = SMALL_MAP,
        format: str = "jsonl",
        more: str = "",
        input: str = "",
        file: str = "",
    ) -> sources.Source:
        folder = tmp_path / "source" / name
        folder.mkdir(parents=True, exist_ok=True)
        file = file or f"records.{format}"
        text = SMALL_TOML.format(more=more, file=file, format=format, input=input)
        (folder / "source.toml").write_text(text, encoding="utf-8")
        (folder / "map.rq").write_text(map, encoding="utf-8")
        return sources.load(name, folder)

    return make
