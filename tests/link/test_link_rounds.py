"""The same records and decisions give the same things, in whatever order they came."""

import random

import numpy as np
import pytest

from dhu_graph import ontology
from dhu_graph.link.blocks import hashed, pairs
from dhu_graph.link.clusters import canonical, clusters
from dhu_graph.link.decisions import Decision, latest
from dhu_graph.link.mentions import Mention
from dhu_graph.link.names import Names
from dhu_graph.link.pairs import BLOCK, Judged, Prepared, keys, prepare, score

NAMES = Names(ontology.load())
WORDS = ["Kardio", "Lumen", "Saluta", "Vitalis", "Medora", "Fenix"]


def mention(number: int) -> Mention:
    word = WORDS[number % len(WORDS)]
    ways = (f"{word} Health GmbH", f"{word} Health", f"{word.upper()} HEALTH AG")
    country = ("DEU", "AUT", "")[number % 3]
    return Mention(
        f"https://x.eu/id/organisation/s{number % 4}-{number}",
        f"s{number % 4}",
        "organisation",
        (ways[number % 3],),
        countries=frozenset({country} - {""}),
    )


def in_blocks(ready: list[Prepared]) -> list[tuple[int, int]]:
    """The pairs that share a key."""
    each = [hashed(keys(one)) for one in ready]
    numbers = np.repeat(np.arange(len(each)), [len(found) for found in each])
    return [(int(a), int(b)) for a, b in pairs(numbers, np.concatenate(each), BLOCK)]


def things(records: list[Mention], log: list[Decision]) -> dict[str, str]:
    """IRI → the one that stays."""
    records = sorted(records, key=lambda m: m.iri)
    ready = [prepare(m, NAMES) for m in records]
    found = in_blocks(ready)
    judged = [Judged(records[a].iri, records[b].iri, score(ready[a], ready[b])[0]) for a, b in found]
    by_iri = {m.iri: m for m in records}
    countries = {one.mention.iri: one.countries for one in ready}
    stay: dict[str, str] = {}
    for members, _ in clusters(by_iri, countries.__getitem__, judged, latest(log)):
        stays = canonical(members, by_iri, lambda source: 50)
        stay |= dict.fromkeys(members, stays)
    return stay


def test_two_hundred_rounds_of_merges_unmerges_and_new_ingests_in_any_order() -> None:
    rng = random.Random(24)
    records = [mention(n) for n in range(24)]
    iris = [m.iri for m in records]
    log: list[Decision] = []
    for round in range(200):
        left, right = rng.sample(iris, 2)
        verdict = rng.choice(["same", "different", "undecided"])
        log.append(Decision(f"2026-01-01T00:{round // 60:02}:{round % 60:02}Z", left, right, verdict))
        there = records[:]
        rng.shuffle(there)  # a new ingest brings the records in another order
        written = log[:]
        rng.shuffle(written)  # and a log may be put together from several
        assert things(there, written) == things(records, log)
        found = things(there, written)
        for (a, b), decision in latest(log).items():
            if decision.verdict == "different":
                assert found.get(a, a) != found.get(b, b)
    assert things(records, log) != things(records, []), "the decisions changed nothing"


def test_the_latest_dated_decision_of_a_pair_counts() -> None:
    a, b = "x:a", "x:b"
    early, late = Decision("2026-01-01", a, b, "same"), Decision("2026-02-01", b, a, "different")
    assert latest([late, early]) == {(a, b): late} == latest([early, late])
    assert latest([early, late, Decision("2026-03-01", a, b, "undecided")]) == {}


@pytest.mark.parametrize("order", [0, 1, 2])
def test_what_a_person_keeps_apart_is_not_joined_by_way_of_a_third(order: int) -> None:
    names = ["Kardio Health", "Kardio Health GmbH", "Kardio Health AG"]
    records = [Mention(f"x:{n}", "s", "organisation", (name,)) for n, name in enumerate(names)]
    records = records[order:] + records[:order]
    assert len(set(things(records, []).values())) == 1
    found = things(records, [Decision("2026", "x:0", "x:2", "different")])
    assert found.get("x:0", "x:0") != found.get("x:2", "x:2")


def test_a_key_that_too_many_share_makes_no_pairs() -> None:
    many: list[Prepared] = [
        prepare(Mention(f"x:{n}", "s", "organisation", ("Kardio",)), NAMES) for n in range(100)
    ]
    assert in_blocks(many) == []
    assert len(in_blocks(many[:BLOCK])) == BLOCK * (BLOCK - 1) // 2
