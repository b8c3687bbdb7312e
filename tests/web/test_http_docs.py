"""docs/http.md cannot drift from what the server offers."""

import re
from pathlib import Path

from starlette.testclient import TestClient

from dhu_graph.model import FILTER_COLUMNS

TEXT = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_endpoint_is_described_and_every_described_one_exists(client: TestClient) -> None:
    offered = {*client.get("/openapi.json").json()["paths"], "/openapi.json"}
    described = set(re.findall(r"^\| `(?:GET|POST|GET, POST) ([^`?]+)", TEXT, re.MULTILINE))
    assert described == offered


def test_every_filter_is_named() -> None:
    assert all(f"`{column}`" in TEXT for column in FILTER_COLUMNS)


def test_every_example_runs(client: TestClient) -> None:
    examples = re.findall(r"http://127\.0\.0\.1:8000(/[^\s'\"`]*)", TEXT)
    assert len(examples) >= 4
    for address in examples:
        assert client.get(address).status_code in (200, 303), address
