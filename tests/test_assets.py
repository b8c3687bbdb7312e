"""The asset folders: found in a checkout and in an installed wheel, and missed with a clear word."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import dhu_graph
from dhu_graph import assets

PACKAGE = Path(dhu_graph.__file__).parent


def in_a_copy(tmp_path: Path, *, with_assets: bool) -> subprocess.CompletedProcess[str]:
    """Asks a copy of the package, as a wheel would install it, where its assets are."""
    site = tmp_path / "site"
    shutil.copytree(PACKAGE, site / "dhu_graph", ignore=shutil.ignore_patterns("__pycache__"))
    if with_assets:
        for name in assets.FOLDERS:
            shutil.copytree(assets.folder(name), site / "dhu_graph" / "_assets" / name)
    code = (
        "from dhu_graph import assets, ontology, queries, sources\n"
        "from dhu_graph.errors import DhuError\n"
        "try:\n  print(assets.root()); print(len(ontology.load().store), *sources.names(), len(queries.names()))\n"
        "except DhuError as error:\n  print(type(error).__name__, error)\n"
    )
    # Inserted by hand: an editable install must not come first.
    run = f"import sys; sys.path.insert(0, {str(site)!r})\n" + code
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", run], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )


def test_every_folder_is_in_the_checkout() -> None:
    for name in assets.FOLDERS:
        assert list(assets.folder(name).iterdir()), name


def test_every_folder_goes_into_the_wheel() -> None:
    project = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {source: f"dhu_graph/_assets/{source}" for source in assets.FOLDERS}.items() <= included.items()


def test_an_installed_package_finds_its_assets_inside_itself(tmp_path: Path) -> None:
    where, counts = in_a_copy(tmp_path, with_assets=True).stdout.splitlines()
    assert where == str((tmp_path / "site" / "dhu_graph" / "_assets").resolve())
    assert (
        "contributions cordis dcat-ap diga dpg eu-sparql globalgoods" in counts
        and counts.endswith(" 7")
        and int(counts.split()[0]) > 10_000
    )


def test_a_package_without_assets_says_so(tmp_path: Path) -> None:
    out = in_a_copy(tmp_path, with_assets=False).stdout
    assert out.startswith("BadInput The asset folders") and "Install dhu-graph again." in out
