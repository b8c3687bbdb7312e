"""Clusters: from pairs to things, without ever joining what a person, or a country, keeps apart."""

from collections.abc import Callable, Iterable, Mapping

from dhu_graph.link.decisions import Decision
from dhu_graph.link.mentions import Mention
from dhu_graph.link.pairs import CERTAIN, WORLD, Judged


def clusters(
    mentions: Mapping[str, Mention],
    countries: Callable[[str], frozenset[str]],
    judged: Iterable[Judged],
    decided: Mapping[tuple[str, str], Decision],
) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """(members, the pairs that joined them) of every thing with more than one mention, in the order of its first member.

    The same mentions, scores and decisions give the same clusters in whatever order they come: decisions of people
    first, the latest before the earlier, then the pairs from the surest down. A pair joins two clusters unless a person
    has said of any two of their members that they differ, or organisations of different countries would meet.
    """
    apart: dict[str, set[str]] = {}
    for (left, right), decision in decided.items():
        if decision.verdict == "different":
            apart.setdefault(left, set()).add(right)
            apart.setdefault(right, set()).add(left)
    home = {iri: [iri] for iri in mentions}
    joins: dict[str, list[tuple[str, str]]] = {}
    for (left, right), by_person in _edges(mentions, judged, decided):
        one, two = home[left], home[right]
        if one is two:
            continue
        if any(not apart.get(member, set()).isdisjoint(two) for member in one):
            continue
        if not by_person and _countries_clash(one + two, countries, mentions[left]):
            continue
        head = min(one[0], two[0])
        reasons = joins.pop(one[0], []) + joins.pop(two[0], []) + [(left, right)]
        merged = sorted(one + two)
        joins[merged[0]] = reasons
        assert merged[0] == head
        for member in merged:
            home[member] = merged
    return [(home[first], sorted(pairs)) for first, pairs in sorted(joins.items())]


def canonical(members: Iterable[str], mentions: Mapping[str, Mention], rank: Callable[[str], int]) -> str:
    """The IRI that stays: of the source that ranks first, of an organisation rather than a mere partner, by name then."""
    return min(members, key=lambda iri: (mentions[iri].kind == "party", rank(mentions[iri].source), iri))


def _edges(
    mentions: Mapping[str, Mention], judged: Iterable[Judged], decided: Mapping[tuple[str, str], Decision]
) -> list[tuple[tuple[str, str], bool]]:
    people = sorted(
        (d for d in decided.values() if d.verdict == "same" and d.left in mentions and d.right in mentions),
        key=lambda d: d.pair,
    )
    people.sort(key=lambda d: d.date, reverse=True)
    sure = [j for j in judged if j.score >= CERTAIN and (j.left, j.right) not in decided]
    sure.sort(key=lambda j: (-j.score, j.left, j.right))
    return [(d.pair, True) for d in people] + [((j.left, j.right), False) for j in sure]


def _countries_clash(members: list[str], countries: Callable[[str], frozenset[str]], one: Mention) -> bool:
    """Whether organisations would meet that have no country in common."""
    if not one.is_organisation:
        return False
    known = [c for c in map(countries, members) if c and not c & WORLD]
    return bool(known) and not frozenset.intersection(*known)
