"""From a file to a release: nothing reaches the graph unmoderated, and every decision can be taken back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
from filled_templates import PRACTICE, to_csv

from dhu_graph import Engine
from dhu_graph.errors import BadInput, Busy, ReleaseError, UsageError
from dhu_graph.ontology import DCT
from small_sources import loaded

PROV = "http://www.w3.org/ns/prov#wasAttributedTo"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine.open(data=tmp_path / "data", embed=False) as engine:
        yield engine


def send(
    engine: Engine, tmp_path: Path, *rows: dict[str, str], organisation: str = "Land Nordtal"
) -> list[str]:
    path = to_csv(engine.ontology, tmp_path / "sent.csv", *rows)
    received = engine.contributions.receive(path, organisation)
    assert [str(fault) for fault in received.checked.all_faults] == []
    return [each.id for each in received.placed]


def titles(engine: Engine) -> set[str]:
    """The titles in the graph of contributions of the current release."""
    store = loaded(engine)
    graph = ox.NamedNode(engine.ontology.iri("graph/contributions"))
    found = store.quads_for_pattern(None, ox.NamedNode(DCT + "dateSubmitted"), None, graph)
    return {
        q.object.value
        for each in found
        for q in store.quads_for_pattern(each.subject, ox.NamedNode(DCT + "title"), None, graph)
    }


def test_what_is_accepted_is_in_the_release_with_its_contributor_and_its_dates(
    engine: Engine, tmp_path: Path
) -> None:
    (id,) = send(engine, tmp_path, {**PRACTICE, "lead.name": "Klinik Nordtal"})
    with pytest.raises(ReleaseError):
        engine.shelf.get()
    (entry,), built = engine.contributions.accept([id], "moderator")
    assert built.release and built.release.number == 1 and not built.findings
    store = loaded(engine)
    subject = ox.NamedNode(engine.ontology.iri(f"id/practice/contributions-{entry.key}"))

    def value(predicate: str) -> str:
        (quad,) = store.quads_for_pattern(subject, ox.NamedNode(predicate), None, None)
        return str(quad.object.value)

    organisation = value(DCT + "contributor")
    assert organisation == value(PROV)
    (name,) = store.quads_for_pattern(ox.NamedNode(organisation), ox.NamedNode(DCT + "title"), None, None)
    assert name.object.value == "Land Nordtal"
    assert (
        value(DCT + "dateSubmitted") == entry.received[:10]
        and value(DCT + "dateAccepted") == entry.decided[:10]
    )
    (title,) = store.quads_for_pattern(subject, ox.NamedNode(DCT + "title"), None, None)
    assert (title.object.value, title.object.language) == (PRACTICE["title"], "de")
    hits = engine.search("Herzschwäche Klinik")
    assert [hit.document.title for hit in hits][:1] == [PRACTICE["title"]]


def test_what_waits_or_is_rejected_never_reaches_the_graph(engine: Engine, tmp_path: Path) -> None:
    kept, waiting, rejected = send(
        engine, tmp_path, *({**PRACTICE, "title": title} for title in ("Kept", "Waiting", "Rejected"))
    )
    engine.contributions.reject([rejected], "Not about health.")
    engine.contributions.accept([kept])
    assert titles(engine) == {"Kept"}
    text = (engine.contributions.folder / "accepted.jsonl").read_text(encoding="utf-8")
    assert "Waiting" not in text and "Rejected" not in text
    assert engine.contributions.queue.get(rejected).reason == "Not about health."
    assert engine.contributions.queue.get(waiting).state == "waiting"


def test_a_rejected_one_may_be_accepted_after_all(engine: Engine, tmp_path: Path) -> None:
    (id,) = send(engine, tmp_path, PRACTICE)
    engine.contributions.reject([id], "By mistake.")
    engine.contributions.accept([id])
    assert titles(engine) == {PRACTICE["title"]}


def test_what_is_withdrawn_is_gone_from_the_next_release_and_can_come_back(
    engine: Engine, tmp_path: Path
) -> None:
    one, other = send(engine, tmp_path, PRACTICE, {**PRACTICE, "title": "Other"})
    engine.contributions.accept([one, other])
    (entry,), built = engine.contributions.withdraw([one], "moderator", "Asked for by the body.")
    assert (entry.state, entry.reason) == ("withdrawn", "Asked for by the body.") and built.release
    assert titles(engine) == {"Other"}
    engine.contributions.withdraw([other])
    assert titles(engine) == set()
    engine.contributions.accept([one])
    assert titles(engine) == {PRACTICE["title"]} and engine.shelf.numbers()[-1] == 4


def test_a_later_version_takes_the_place_of_the_earlier_one_under_the_same_name(
    engine: Engine, tmp_path: Path
) -> None:
    (first,) = send(engine, tmp_path, {**PRACTICE, "id": "HN-7"})
    engine.contributions.accept([first])
    (second,) = send(engine, tmp_path, {**PRACTICE, "id": "HN-7", "title": "Herzfunk, zweites Jahr"})
    assert titles(engine) == {PRACTICE["title"]}
    (entry,), _ = engine.contributions.accept([second])
    assert titles(engine) == {"Herzfunk, zweites Jahr"}
    queue = engine.contributions.queue
    assert (queue.get(first).state, queue.get(first).key) == ("superseded", entry.key)
    engine.contributions.accept([first])
    assert titles(engine) == {PRACTICE["title"]}


def test_the_same_decisions_make_the_same_file(engine: Engine, tmp_path: Path) -> None:
    ids = send(engine, tmp_path, *({**PRACTICE, "title": f"Practice {n}"} for n in range(5)))
    engine.contributions.accept(ids)
    path = engine.contributions.folder / "accepted.jsonl"
    before = path.read_bytes()
    lines = [json.loads(line) for line in before.splitlines()]
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines) and len(lines) == 5
    engine.contributions.withdraw(ids[2:3])
    assert path.read_bytes() != before
    assert not list(engine.contributions.folder.glob("*.part"))


def test_while_another_writes_the_decision_is_taken_back(engine: Engine, tmp_path: Path) -> None:
    one, other = send(engine, tmp_path, PRACTICE, {**PRACTICE, "title": "Other"})
    engine.contributions.accept([one])
    with Engine.open(data=engine.settings.data, embed=False) as second, second.shelf.writing():
        with pytest.raises(Busy):
            engine.contributions.accept([other])
    queue = engine.contributions.queue
    assert queue.get(other).state == "waiting" and queue.get(one).state == "accepted"
    assert "Other" not in (engine.contributions.folder / "accepted.jsonl").read_text()
    assert [each["action"] for each in queue.log(other)] == ["accept", "undo"]
    engine.contributions.accept([other])
    assert titles(engine) == {PRACTICE["title"], "Other"}


def test_what_breaks_the_rules_of_today_is_not_accepted(engine: Engine, tmp_path: Path) -> None:
    (id,) = send(engine, tmp_path, PRACTICE)
    import sqlite3

    db = sqlite3.connect(engine.contributions.folder / "queue.sqlite")
    db.execute("UPDATE contribution SET fields = json_set(fields, '$.description', 'short')")
    db.commit()
    db.close()
    with pytest.raises(BadInput, match="20 to 20,000 characters"):
        engine.contributions.accept([id])
    assert engine.contributions.queue.get(id).state == "waiting"
    with pytest.raises(ReleaseError):
        engine.shelf.get()


def test_a_decision_needs_an_entry_a_reason_and_no_person(engine: Engine, tmp_path: Path) -> None:
    (id,) = send(engine, tmp_path, PRACTICE)
    with pytest.raises(UsageError, match="No contribution was named"):
        engine.contributions.accept([])
    with pytest.raises(UsageError, match="why"):
        engine.contributions.reject([id], " ")
    with pytest.raises(UsageError, match="role"):
        engine.contributions.accept([id], "anna@example.org")
    assert engine.contributions.queue.log() == []


def test_a_check_keeps_nothing(engine: Engine, tmp_path: Path) -> None:
    path = to_csv(engine.ontology, tmp_path / "sent.csv", PRACTICE)
    assert len(engine.contributions.check(path, "Land Nordtal").good) == 1
    assert not engine.contributions.folder.exists()


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", 'a" . <urn:x> <urn:y> <urn:z> . "', "=1+1"])
def test_a_hostile_title_is_a_title_in_the_graph(title: str, engine: Engine, tmp_path: Path) -> None:
    (id,) = send(engine, tmp_path, {**PRACTICE, "title": title})
    engine.contributions.accept([id])
    assert titles(engine) == {title}


def test_a_build_leaves_the_contributions_as_they_are(engine: Engine, tmp_path: Path) -> None:
    (id,) = send(engine, tmp_path, PRACTICE)
    engine.contributions.accept([id])
    engine.build()
    assert titles(engine) == {PRACTICE["title"]}
