"""One thing told of by two sources becomes one resource of the release, and two again when a person says so."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from dhu_graph import Engine
from dhu_graph.errors import UnknownName, UsageError
from dhu_graph.link import rewritten
from dhu_graph.web.app import create_app
from small_sources import practice

BASE = "https://w3id.org/dhu/"


@pytest.fixture
def two(make_source, tmp_path: Path):  # type: ignore[no-untyped-def]
    """An engine with the same practice in two sources, and one more in each."""
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        for name, title in (("alpha", "Kardioline heart line"), ("beta", "KARDIOLINE Heart Line")):
            source = make_source(name)
            records = [
                {**practice("1"), "title": title},
                {**practice("2"), "title": f"Something of {name} alone"},
            ]
            path = tmp_path / f"{name}.jsonl"
            path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
            engine.ingest(name, str(path), folder=source.folder)
        yield engine


def iris(engine: Engine) -> set[str]:
    rows = engine.query("SELECT DISTINCT ?s WHERE { ?s a dhu:GoodPractice }")
    return {str(row["s"]).rsplit("/", 1)[-1] for row in rows}  # type: ignore[union-attr]


def test_one_resource_with_the_words_of_both_each_in_its_graph(two: Engine) -> None:
    assert iris(two) == {"alpha-1", "alpha-2", "beta-2"}
    rows = two.query(
        "SELECT ?g ?title WHERE { GRAPH ?g { ?s dct:title ?title } FILTER(STRENDS(STR(?s), '/alpha-1')) } ORDER BY ?g"
    )
    assert [(str(r["g"]).rsplit("/", 1)[-1], r["title"]) for r in rows] == [  # type: ignore[union-attr]
        ("alpha", "Kardioline heart line"),
        ("beta", "KARDIOLINE Heart Line"),
    ]
    reasons = two.query("SELECT ?why WHERE { ?link a dhu:Link ; dhu:reason ?why }")
    assert any("the same name" in str(row["why"]) for row in reasons)  # type: ignore[union-attr]
    assert two.show("practice/beta-1").iri.endswith("/alpha-1")
    # Both titles are kept; the source that gave the IRI speaks first, on the page and in the search.
    assert (
        two.show("practice/alpha-1").title
        == "Kardioline heart line"
        != min("Kardioline heart line", "KARDIOLINE Heart Line")
    )
    (hit,) = [h for h in two.search("kardioline") if h.document.iri.endswith("alpha-1")]
    assert hit.document.title == "Kardioline heart line"


def test_the_old_address_leads_to_the_new_one(two: Engine) -> None:
    with TestClient(create_app(two), follow_redirects=False) as client:
        for path, there in (
            ("/id/practice/beta-1", "/id/practice/alpha-1"),
            ("/id/practice/beta-1.ttl", "/id/practice/alpha-1.ttl"),
            ("/api/resources/practice/beta-1", "/api/resources/practice/alpha-1"),
        ):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (301, there)


def test_a_person_takes_them_apart_and_it_survives_a_new_ingest(
    two: Engine, tmp_path: Path, make_source
) -> None:  # type: ignore[no-untyped-def]
    two.decide("practice/alpha-1", "practice/beta-1", "different", "two lines of two towns")
    two.relink()
    two.refresh()
    assert iris(two) == {"alpha-1", "alpha-2", "beta-1", "beta-2"}
    again = tmp_path / "beta.jsonl"
    again.write_text(again.read_text(encoding="utf-8").replace("KARDIOLINE", "Kardioline"), encoding="utf-8")
    two.ingest("beta", str(again), folder=make_source("beta").folder)
    two.refresh()
    assert iris(two) == {"alpha-1", "alpha-2", "beta-1", "beta-2"}
    two.decide("practice/beta-1", "practice/alpha-1", "undecided")
    two.relink()
    two.refresh()
    assert iris(two) == {"alpha-1", "alpha-2", "beta-2"}
    assert [d.verdict for d in two.decisions()] == ["different", "undecided"]


def test_nothing_new_makes_no_release(two: Engine) -> None:
    assert two.relink().release is None


def test_only_what_is_there_is_linked_and_only_what_was_decided_taken_back(two: Engine) -> None:
    with pytest.raises(UnknownName, match="practice/nix"):
        two.decide("practice/alpha-1", "practice/nix", "same")
    with pytest.raises(UsageError, match="Nothing was decided"):
        two.decide("practice/alpha-1", "practice/alpha-2", "undecided")
    assert two.decisions() == []


def test_two_that_are_one_do_not_point_to_themselves() -> None:
    line = b"<x:lead> <x:partner> <x:body> <x:g> .\n"
    other = b"<x:else> <x:partner> <x:body> <x:g> .\n"
    own = b"<x:a> <x:isPartOf> <x:a> <x:g> .\n"
    found = [text for _, text in rewritten([line, other, own], {"x:body": "x:lead"})]
    assert found == [b"<x:else> <x:partner> <x:lead> <x:g> .\n", own]
