"""How well the rules of enrichment do: what a source states is hidden, derived again, and compared."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from dhu_graph.enrich import Derivation, Facts, Rules, years
from dhu_graph.enrich import facts as facts_module
from dhu_graph.enrich.facts import ALTERNATIVE, DESCRIPTION, SPATIAL, THEME, TITLE
from dhu_graph.enrich.languages import SHORTEST, SURE, UNTAGGED
from dhu_graph.enrich.regions import NUTS
from dhu_graph.ontology import Ontology


def held_out(graph: Path, ontology: Ontology) -> dict[str, float]:
    """For each rule: `NAME` precision, `NAME recall`, `NAME found` and `NAME stated`, on what this source states.

    `region-of-lead` and `region-in-title` are measured with the source's own words for the region hidden as well.
    A region above or below the stated one counts as wrong, and is told apart as `NAME nested`.
    """
    rules, counted = Rules(ontology), Counter[str]()
    leads = rules.leads(facts_module.read(graph, ontology))
    kinds = set(ontology.resource_kinds)
    for facts in facts_module.read(graph, ontology):
        if not facts.kinds & kinds:
            continue
        _regions(facts, rules, leads, counted)
        _compare("theme", set(facts.iris(THEME)), rules.themes.derive(facts.without(THEME)), counted)
        stated = {term.value for term in facts.values.get(facts.ns + "startYear", ())}
        _compare("year", stated, years.derive(facts.without("startYear")), counted)
        named = {n for _, _, text in facts.texts("standard") for n, _ in rules.standards.within(text)}
        _compare("standard", named, rules.standards.derive(facts.without("standard")), counted)
        _languages(facts, rules, counted)
    return dict(_measures(counted))


def _regions(facts: Facts, rules: Rules, leads: dict[str, str], counted: Counter[str]) -> None:
    stated = {iri for iri in facts.iris(SPATIAL) if iri.startswith(NUTS)}
    if not stated:
        return
    outside = [term for term in facts.values[SPATIAL] if term.value not in stated]
    hidden = Facts(facts.iri, facts.ns, {**facts.values, SPATIAL: outside})
    found = list(rules.regions.derive(hidden, leads))
    found += [d for d in rules.regions.derive(hidden.without("regionName"), leads) if d not in found]
    _compare("region", stated, found, counted)
    for one in found:
        region = one.object.value
        near = any(region != s and (s.startswith(region) or region.startswith(s)) for s in stated)
        counted[f"{one.method}\0nested"] += near


def _languages(facts: Facts, rules: Rules, counted: Counter[str]) -> None:
    for _, tag, text in facts.texts(TITLE, ALTERNATIVE, DESCRIPTION):
        if tag and len(text) >= SHORTEST:
            language, sure = rules.languages.of(text)
            counted["language\0stated"] += 1
            if sure >= SURE[UNTAGGED]:
                counted["language\0found"] += 1
                right = language == tag
                counted["language\0right"] += right
                counted["language\0hits"] += right


def _compare(family: str, stated: set[str], found: Iterable[Derivation], counted: Counter[str]) -> None:
    if not stated:
        return
    counted[f"{family}\0stated"] += len(stated)
    hits = set()
    for one in found:
        right = one.object.value in stated
        counted[f"{one.method}\0found"] += 1
        counted[f"{one.method}\0right"] += right
        if right:
            hits.add(one.object.value)
    counted[f"{family}\0hits"] += len(hits)


def _measures(counted: Counter[str]) -> Iterator[tuple[str, float]]:
    for name in sorted({key.split("\0")[0] for key in counted}):
        if found := counted[f"{name}\0found"]:
            yield f"{name} precision", counted[f"{name}\0right"] / found
            yield f"{name} found", found
        if nested := counted[f"{name}\0nested"]:
            yield f"{name} nested", nested
        if stated := counted[f"{name}\0stated"]:
            yield f"{name} recall", counted[f"{name}\0hits"] / stated
            yield f"{name} stated", stated
