"""Identity across sources: which mentions are one thing. `Linker.run` reads top to bottom.

mentions of all source graphs → pairs that share a key → a score with reasons → clusters → one IRI each
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyoxigraph as ox
from numpy.typing import NDArray

from dhu_graph import assets, memory
from dhu_graph.link import blocks
from dhu_graph.link.blocks import Keys, hashed, together
from dhu_graph.link.clusters import canonical, clusters
from dhu_graph.link.decisions import VERDICTS, Decision, Decisions, latest
from dhu_graph.link.memo import Lists, Memo
from dhu_graph.link.mentions import Mention, mentions
from dhu_graph.link.names import Names
from dhu_graph.link.neighbours import Neighbours
from dhu_graph.link.pairs import BLOCK, CERTAIN, DOUBTFUL, Judged, Prepared, keys, prepare, score
from dhu_graph.ontology import RDF_TYPE, Ontology

if TYPE_CHECKING:
    from dhu_graph.embedding import Embedder

__all__ = [
    "CERTAIN",
    "DOUBTFUL",
    "VERDICTS",
    "Decision",
    "Decisions",
    "Judged",
    "Linked",
    "Linker",
    "Mention",
    "latest",
]

_DCT = "http://purl.org/dc/terms/"
_XSD = "http://www.w3.org/2001/XMLSchema#"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing with several mentions: the IRI that stays, the others, and the pairs that joined them."""

    iri: str
    others: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Linked:
    """What linking found: things with several mentions, and the pairs that wait for a person."""

    things: tuple[Thing, ...] = ()
    review: tuple[Judged, ...] = ()
    judged: Mapping[tuple[str, str], Judged] = field(default_factory=dict)
    decided: Mapping[tuple[str, str], Decision] = field(default_factory=dict)
    mentions: int = 0
    pairs: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)
    """IRI of a mention → the source that it stands in."""

    @property
    def replaced(self) -> dict[str, str]:
        """IRI that is no longer used → the one that stays."""
        direct = {other: thing.iri for thing in self.things for other in thing.others}
        # A partner that stays may be a part of a resource that does not.
        return {other: _moved(iri, direct) for other, iri in direct.items()}


class Linker:
    """Links the source graphs of a data folder; `inputs` changes with whatever could change the result."""

    def __init__(
        self,
        data: Path,
        digests: Mapping[str, str],
        ranks: Mapping[str, int],
        ontology: Ontology,
        embedder: "Embedder | None",
    ) -> None:
        self._folder = data / "links"
        self._graphs = {source: data / "sources" / source / "graph.nq.gz" for source in digests}
        self._ranks, self._ontology, self._embedder = ranks, ontology, embedder
        self._decisions = Decisions(self._folder).all()
        self.inputs = _digest(
            json.dumps([sorted(digests.items()), sorted(ranks.items()), ontology.fingerprint]),
            json.dumps([[d.date, d.left, d.right, d.verdict] for d in self._decisions]),
            _code(),
            embedder.fingerprint if embedder else "",
        )

    def run(self, progress: Progress | None = None) -> Linked:
        """Reads all mentions, compares those that could be one thing, and says which are."""
        tell = progress or (lambda step, done, total: None)
        with memory.uncollected():
            found = mentions(self._graphs, self._ontology)
            tell("link", len(found), 0)
            ready = _Ready(found, Names(self._ontology))
            near = Neighbours(found, self._ontology, self._embedder)
            memo = Memo(self._folder, _code() + (self._embedder.fingerprint if self._embedder else ""))
            digests = np.frombuffer(b"".join(mention.digest for mention in found), np.uint64)
            shared, places = memo.mentions(digests, ready.keys)
            numbers = np.repeat(np.arange(len(found)), shared.lengths)
            pairs = together((blocks.pairs(numbers, shared.flat, BLOCK), near.pairs(BLOCK)))

            def compute(which: NDArray[np.int64]) -> list[tuple[float, str]]:
                new, scored = pairs[which], []
                cosines = near.cosines(new).tolist()
                for done, ((a, b), cosine) in enumerate(zip(new.tolist(), cosines, strict=True)):
                    sure, why = score(ready[a], ready[b], None if isnan(cosine) else cosine)
                    scored.append((sure, json.dumps(why, ensure_ascii=False) if sure >= DOUBTFUL else ""))
                    if done % 5000 == 0:
                        tell("link", done, len(new))
                return scored

            scores, told = memo.scores(digests, pairs, compute, DOUBTFUL)
            memo.write()
            judged = [
                Judged(found[a].iri, found[b].iri, float(scores[n]), told[n].tobytes().decode())
                for n in np.flatnonzero(scores >= DOUBTFUL).tolist()
                for a, b in [pairs[n].tolist()]
            ]
            return self._decided(found, places, judged, len(pairs))

    def _decided(self, found: list[Mention], places: Lists, judged: list[Judged], pairs: int) -> Linked:
        number = {mention.iri: n for n, mention in enumerate(found)}
        by_iri = {mention.iri: mention for mention in found}
        decided = latest(self._decisions)

        def countries(iri: str) -> frozenset[str]:
            return frozenset(places[number[iri]].astype(str).tolist())

        things = []
        for members, joins in clusters(by_iri, countries, judged, decided):
            stays = canonical(members, by_iri, lambda source: self._ranks.get(source, 50))
            things.append(Thing(stays, tuple(m for m in members if m != stays), tuple(joins)))
        home = {member: thing.iri for thing in things for member in (thing.iri, *thing.others)}
        review = [
            one
            for one in judged
            if (one.left, one.right) not in decided
            and home.get(one.left, one.left) != home.get(one.right, one.right)
        ]
        review.sort(key=lambda one: (-one.score, one.left, one.right))
        scores = {(one.left, one.right): one for one in judged}
        sources = {mention.iri: mention.source for mention in found}
        return Linked(tuple(things), tuple(review), scores, decided, len(found), pairs, sources)


class _Ready:
    """Mentions made ready to be compared when they are asked for: of a large radar, few change at a time."""

    def __init__(self, found: list[Mention], names: Names) -> None:
        self._found, self._names = found, names
        self._ready: dict[int, Prepared] = {}

    def __getitem__(self, number: int) -> Prepared:
        one = self._ready.get(number)
        if one is None:
            one = self._ready[number] = prepare(self._found[number], self._names)
        return one

    def keys(self, number: int) -> tuple[Keys, frozenset[str]]:
        """The keys and the countries of a mention."""
        return hashed(keys(self[number])), self[number].countries


def quads(linked: Linked, ontology: Ontology) -> list[str]:
    """The sorted N-Quads lines of `graph/links`: who replaces whom, and every decision that joined two, with its reasons."""
    graph, ns = f"<{ontology.base}graph/links>", ontology.base + "ns#"
    lines: list[str] = []
    replaced = linked.replaced
    for thing in linked.things:
        for other in thing.others:
            lines.append(f"<{other}> <{_DCT}isReplacedBy> <{replaced[other]}> {graph} .\n")
        for left, right in thing.pairs:
            node = f"<{ontology.base}id/link/{_digest(left, right)[:16]}>"
            lines.append(f"{node} <{RDF_TYPE}> <{ns}Link> {graph} .\n")
            lines.append(f"{node} <{ns}joins> <{left}> {graph} .\n")
            lines.append(f"{node} <{ns}joins> <{right}> {graph} .\n")
            lines.append(f"{node} <{_DCT}subject> <{thing.iri}> {graph} .\n")
            lines += [
                f"{node} {predicate} {value} {graph} .\n"
                for predicate, value in _grounds(linked, left, right, ns)
            ]
    return sorted(lines)


def _grounds(linked: Linked, left: str, right: str, ns: str) -> Iterator[tuple[str, str]]:
    decision, judged = linked.decided.get((left, right)), linked.judged.get((left, right))
    if decision:
        date = ox.Literal(decision.date, datatype=ox.NamedNode(_XSD + "dateTime"))
        yield f"<{ns}reason>", str(ox.Literal("a person decided", language="en"))
        yield f"<{_DCT}date>", str(date)
    elif judged:
        score = ox.Literal(str(judged.score), datatype=ox.NamedNode(_XSD + "decimal"))
        yield f"<{ns}linkScore>", str(score)
        for reason, weight in judged.reasons:
            yield f"<{ns}reason>", str(ox.Literal(f"{reason} ({weight:+g})", language="en"))


def rewritten(lines: Iterable[bytes], replaced: Mapping[str, str]) -> Iterator[tuple[bool, bytes]]:
    """(whether it was changed, N-Quads line) with replaced IRIs as subject or object put right; the graph name stays."""
    table = {f"<{old}".encode(): f"<{new}".encode() for old, new in replaced.items()}

    def moved(term: bytes) -> bytes | None:
        whole = table.get(term[:-1])
        if whole is None and b"#" in term:  # a part goes where its resource goes
            owner, mark, part = term.partition(b"#")
            whole = table.get(owner)
            return None if whole is None else whole + mark + part
        return None if whole is None else whole + b">"

    for line in lines:
        subject, predicate, rest = line.split(b" ", 2)
        new, other = moved(subject), None
        if rest.startswith(b"<"):
            target, _, tail = rest.partition(b" ")
            if (other := moved(target)) is not None:
                rest = other + b" " + tail
            if (new or subject) == (other or target) and subject != target:
                continue  # two that are one thing now: it neither leads nor joins itself
        if new is None and other is None:
            yield False, line
        else:
            yield True, b" ".join((new or subject, predicate, rest))


def _moved(iri: str, direct: Mapping[str, str]) -> str:
    owner, mark, part = iri.partition("#")
    return direct[owner] + mark + part if mark and owner in direct else iri


def _code() -> str:
    """Changes with the code and the words of linking."""
    here = Path(__file__).parent
    parts = [path.read_bytes() for path in sorted(here.glob("*.py"))]
    parts += [path.read_bytes() for path in sorted(assets.folder("link").glob("*.tsv"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
