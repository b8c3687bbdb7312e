"""Docs cannot drift: every setting, command, field, function and query is described, and the README's queries run."""

import re
from pathlib import Path

import pytest

from dhu_graph import Engine, queries
from dhu_graph.ingest.functions import Functions
from dhu_graph.settings import Settings
from dhu_graph.sources.config import Input, Source

ROOT = Path(__file__).resolve().parents[1]


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
