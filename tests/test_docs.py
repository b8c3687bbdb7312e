"""Docs cannot drift: every setting, command, field, function and query is described, and the README's queries run."""

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from dhu_graph import Engine, queries
from dhu_graph.ingest.functions import Functions
from dhu_graph.settings import Settings
from dhu_graph.sources.config import Input, Source

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(
        p
        for folder in ("docs", "ingest", "queries", "evaluation", "LICENSES")
        for p in (ROOT / folder).rglob("*.md")
    ),
]
SCHEMES = {p.stem for p in (ROOT / "ontology" / "vocab").glob("*.ttl") if not p.stem.endswith(".mt")} - {
    "countries",
    "languages",
    "regions",
    "period",
    "quality",
    "derivation-method",
    "place",
}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_described(name: str) -> None:
    assert f"`DHU_{name.upper()}`" in text("docs/settings.md")


def test_every_command_is_described() -> None:
    from dhu_graph.cli import app

    names = {command.name or "" for command in app.registered_commands} | {
        g.name or "" for g in app.registered_groups
    }
    assert len(names) >= 13
    assert [name for name in sorted(names) if f"`dhu {name}" not in text("docs/cli.md")] == []


def test_every_field_of_source_toml_is_described() -> None:
    fields = (set(Source.model_fields) | set(Input.model_fields)) - {"name", "folder", "input"}
    assert [field for field in sorted(fields) if field not in text("ingest/README.md")] == []


def test_every_function_of_maps_is_described() -> None:
    names = [iri.value.rsplit(":", 1)[-1] for iri in Functions(None, "x").table()]  # type: ignore[arg-type]
    assert len(names) >= 12
    assert [name for name in names if f"`fn:{name}(" not in text("ingest/README.md")] == []


def test_every_endpoint_is_in_the_readme_or_on_its_own_page() -> None:
    assert all(
        word in text("README.md") for word in ("/sparql", "/id/", "/ns", "dhu serve", "make run", "make test")
    )


@pytest.mark.parametrize("name", queries.names())
def test_every_query_of_the_library_gives_rows_with_its_examples(radar: Engine, name: str) -> None:
    query = queries.load(name, radar.ontology)
    assert query.summary and query.description
    rows = radar.query(name, **{p.name: p.example for p in query.parameters})
    assert isinstance(rows, list) and rows, name


@pytest.mark.parametrize("value", ['" } INSERT {', "x\\", "> ?p ?o", "a\nb", "'''"])
def test_a_parameter_is_a_value_and_never_syntax(radar: Engine, value: str) -> None:
    assert radar.query("sources-of-resource", word=value) == []


def test_the_queries_of_the_readme_run(radar: Engine) -> None:
    found = re.findall(r"^ {7}(SELECT.*?)\n\n", text("README.md"), re.MULTILINE | re.DOTALL)
    assert found
    for query in found:
        assert radar.query(re.sub(r"^ {7}", "", query, flags=re.MULTILINE))


def test_the_example_of_the_ingest_guide_lands_without_a_note(tmp_path: Path) -> None:
    guide = text("ingest/README.md")
    folder = tmp_path / "my-source"
    folder.mkdir()
    for name in ("my.csv", "my-source/source.toml", "my-source/map.rq"):
        (block,) = re.findall(rf"^`{re.escape(name)}`:\n\n((?: {{4}}.*\n|\n)+)", guide, re.MULTILINE)
        (tmp_path / name).write_text(
            re.sub("^ {4}", "", block, flags=re.MULTILINE).strip() + "\n", encoding="utf-8"
        )
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        built = engine.ingest("my-source", str(tmp_path / "my.csv"), folder=folder)
        (report,) = built.reports
        assert (report.landed, report.quarantined, report.warnings) == (1, 0, 0) and not report.unmapped
        resource = engine.show("practice/my-source-7")
        values = {s.label: [v.text for v in s.values] for s in resource.statements}
    assert resource.title == "Herzpass"
    assert values["start year"] == ["2019"] and len(values["theme"]) == 2


@pytest.mark.parametrize("name", sorted({"theme", "scope", "side", "maturity"} | set(SCHEMES)))
def test_every_scheme_that_a_map_may_name_is_described(name: str) -> None:
    assert f"`{name}`" in text("ingest/README.md")


def test_the_python_examples_run(radar: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", text("docs/python.md"), re.DOTALL)
    # The radar of the tests stands in for `dhu-data`; it has no vectors and must stay open.
    monkeypatch.setattr(Engine, "open", classmethod(lambda cls, **_: radar))
    monkeypatch.setattr(Engine, "close", lambda self, wait=5.0: None)
    names: dict[str, Any] = {}
    exec(compile(example, "docs/python.md", "exec"), names)
    assert names["rows"] and names["graph"] and names["known"] is True and names["text"].startswith("s")


def test_every_public_part_of_the_engine_is_described() -> None:
    described = text("docs/python.md")
    names = [name for name in vars(Engine) if not name.startswith("_")]
    assert len(names) >= 15
    assert [name for name in names if not re.search(rf"\b{name}\b", described)] == []


@pytest.mark.parametrize("page", sorted(p.relative_to(ROOT).as_posix() for p in PAGES))
def test_no_link_leads_nowhere(page: str) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text(page))
    assert [t for t in targets if not (ROOT / page).parent.joinpath(t).exists()] == []


@pytest.mark.parametrize(
    "name, ending", [("EUPL-1.2", "production of a new EUPL version."), ("CC-BY-4.0", "creativecommons.org.")]
)
def test_the_licences_are_there_in_full(name: str, ending: str) -> None:
    licence = text(f"LICENSES/{name}.txt")
    assert licence.rstrip().endswith(ending) and len(licence) > 13_000
    assert name in text("LICENSE")


def test_what_make_run_shows_can_be_run(radar: Engine, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    monkeypatch.setenv("DHU_DATA", str(radar.settings.data))
    monkeypatch.setenv("DHU_EMBED", "no")
    tool = runpy.run_path(str(ROOT / "tools" / "run.py"))
    monkeypatch.setattr(sys, "argv", ["dhu"])
    assert [tool["run"](command) for command in tool["SHOWN"]] == [0, 0]
    assert tool["run"]("query no-such-query") == 2
    out = capfd.readouterr().out
    assert "$ dhu search" in out and "Germany" in out
