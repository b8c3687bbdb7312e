"""The queue: what is known already, how much fits, what supersedes what, and a log that forgets nothing."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from dhu_graph.contributions.identity import Contribution
from dhu_graph.contributions.queue import Queue
from dhu_graph.errors import Busy, UnknownName, UsageError

NOW = "2026-03-01T08:00:00Z"


def sent(title: str = "Herzfunk", organisation: str = "Land Nordtal", **fields: Any) -> Contribution:
    return Contribution.of({"kind": "practice", "title": title, **fields}, organisation, NOW)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "contributions" / "queue.sqlite", most=10, most_of_one=4)


def test_the_same_content_is_queued_once_and_told(queue: Queue) -> None:
    first, second = queue.put([sent(), sent(organisation="LAND   nordtal")])
    (third,) = queue.put([sent()])
    assert not first.known and (second.known, third.known) == ("waiting", "waiting")
    assert first.id == second.id == third.id and len(queue.entries()) == 1


def test_what_was_rejected_is_told_and_not_queued_again(queue: Queue) -> None:
    (first,) = queue.put([sent()])
    queue.decide("reject", [first.id], NOW, reason="Not about health.")
    assert queue.put([sent()])[0].known == "rejected" and queue.entries("waiting") == []


def test_other_content_or_another_body_is_new(queue: Queue) -> None:
    placed = queue.put([sent(), sent(scope="local"), sent(organisation="Stadt Nordtal"), sent("Other")])
    assert [each.known for each in placed] == [""] * 4 and len({each.id for each in placed}) == 4


def test_the_queue_takes_all_of_a_file_or_nothing(queue: Queue) -> None:
    for body in "abc":
        queue.put([sent(f"{n}", f"Body {body}") for n in range(3)])
    with pytest.raises(Busy, match="queue is full: at most 10 "):
        queue.put([sent("x", "Body d"), sent("y", "Body d")])
    assert len(queue.entries("waiting")) == 9
    queue.put([sent("x", "Body d")])
    assert len(queue.entries("waiting")) == 10


def test_one_organisation_cannot_fill_the_queue(queue: Queue) -> None:
    with pytest.raises(Busy, match="At most 4 contributions of one organisation"):
        queue.put([sent(str(n), "Land Nordtal" if n % 2 else "LAND NORDTAL") for n in range(5)])
    assert queue.entries() == []
    queue.put([sent(str(n)) for n in range(4)])


def test_what_is_known_already_is_told_even_when_the_queue_is_full(queue: Queue) -> None:
    queue.put([sent(str(n)) for n in range(4)])
    assert queue.put([sent("0")])[0].known == "waiting"


def test_decisions_make_room(queue: Queue) -> None:
    placed = queue.put([sent(str(n)) for n in range(4)])
    queue.decide("reject", [each.id for each in placed], NOW, reason="No.")
    assert [each.known for each in queue.put([sent(str(n)) for n in range(4, 8)])] == [""] * 4


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"title": "A"}, {"title": "a", "scope": "local"}, True),
        ({"title": "A"}, {"title": "A", "kind": "solution"}, False),
        ({"title": "A"}, {"title": "B"}, False),
        ({"title": "A", "own_id": "7"}, {"title": "B", "own_id": "7"}, True),
        ({"title": "A", "own_id": "7"}, {"title": "A", "own_id": "8"}, False),
        ({"title": "A"}, {"title": "A", "own_id": "7"}, True),
        ({"title": "A", "own_id": "7"}, {"title": "A", "scope": "local"}, True),
        ({"title": "A", "organisation": "One body"}, {"title": "A", "organisation": "Another body"}, False),
    ],
)
def test_a_later_version_is_known_by_its_identifier_or_its_title(
    queue: Queue, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    placed = [queue.put([sent(**each)])[0] for each in (first, second)]
    keys = [queue.get(each.id).key for each in placed]
    assert (keys[0] == keys[1]) == same


def test_a_later_version_supersedes_and_can_be_taken_back(queue: Queue) -> None:
    old, new = (queue.put([sent(scope=scope)])[0].id for scope in ("local", "regional"))
    queue.decide("accept", [old], NOW)
    queue.decide("accept", [new], NOW, by="moderator")
    assert [queue.get(id).state for id in (old, new)] == ["superseded", "accepted"]
    assert [entry.id for entry in queue.accepted()] == [new]
    queue.decide("accept", [old], NOW)
    assert [queue.get(id).state for id in (old, new)] == ["accepted", "superseded"]


def test_both_versions_accepted_at_once_leave_the_later_one(queue: Queue) -> None:
    ids = [queue.put([sent(scope=scope)])[0].id for scope in ("local", "regional")]
    queue.decide("accept", ids, NOW)
    assert [queue.get(id).state for id in ids] == ["superseded", "accepted"]


@pytest.mark.parametrize(
    ("done", "then"),
    [
        (["accept"], "accept"),
        (["accept"], "reject"),
        (["reject"], "reject"),
        (["reject"], "withdraw"),
        ([], "withdraw"),
        (["accept", "withdraw"], "withdraw"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(queue: Queue, done: list[str], then: str) -> None:
    (placed,) = queue.put([sent()])
    for action in done:
        queue.decide(action, [placed.id], NOW)
    before = queue.get(placed.id)
    with pytest.raises(UsageError, match=f"{placed.id} is {before.state}"):
        queue.decide(then, [placed.id], NOW)
    assert queue.get(placed.id) == before


def test_decisions_about_several_are_all_made_or_none(queue: Queue) -> None:
    placed = queue.put([sent(str(n)) for n in range(3)])
    with pytest.raises(UnknownName):
        queue.decide("accept", [placed[0].id, "nobody", placed[1].id], NOW)
    assert {entry.state for entry in queue.entries()} == {"waiting"} and queue.log() == []


def test_every_decision_is_logged_with_the_role_and_the_reason(queue: Queue) -> None:
    (placed,) = queue.put([sent()])
    queue.decide("reject", [placed.id], NOW, by="moderator", reason="Not about health.")
    queue.decide("accept", [placed.id], NOW, by="editor")
    queue.restore(1, NOW)
    assert [(e["action"], e["before"], e["after"], e["by"]) for e in queue.log(placed.id)] == [
        ("reject", "waiting", "rejected", "moderator"),
        ("accept", "rejected", "accepted", "editor"),
        ("undo", "accepted", "rejected", ""),
    ]
    assert queue.get(placed.id).state == "rejected" and queue.last() == 3


def test_two_who_decide_at_once_do_not_both_win(queue: Queue) -> None:
    (placed,) = queue.put([sent()])
    results: list[str] = []

    def decide() -> None:
        try:
            queue.decide("accept", [placed.id], NOW)
            results.append("accepted")
        except UsageError:
            results.append("too late")

    threads = [threading.Thread(target=decide) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["accepted"] + ["too late"] * 5 and len(queue.log()) == 1


def test_the_queue_writes_ahead_and_is_whole(queue: Queue, tmp_path: Path) -> None:
    queue.put([sent()])
    db = sqlite3.connect(tmp_path / "contributions" / "queue.sqlite")
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


def test_ids_cannot_be_guessed(queue: Queue) -> None:
    placed = queue.put([sent(str(n)) for n in range(4)])
    assert len({each.id for each in placed}) == 4 and all(len(each.id) == 20 for each in placed)


def test_an_unknown_state_is_told(queue: Queue) -> None:
    with pytest.raises(UsageError, match="no state 'pending'"):
        queue.entries("pending")
