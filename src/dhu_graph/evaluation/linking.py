"""How well linking does on judged pairs: precision of what it joins, recall with and without the review list."""

import csv
import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from dhu_graph import assets
from dhu_graph.errors import UnknownName
from dhu_graph.link import Linked
from dhu_graph.ontology import Ontology

_NAME = rb'<(?:http://purl\.org/dc/terms/title|http://xmlns\.com/foaf/0\.1/name)> "((?:[^"\\]|\\.)*)"'


def measure(
    linked: Linked, graphs: dict[str, Path], ontology: Ontology, half: str | None = None
) -> dict[str, float]:
    """Figures on `evaluation/link`, or on its `open` or `locked` half.

    `precision` is the share of true pairs among the judged pairs that were joined; `recall` of the true pairs that were,
    `recall_with_review` of those that were or wait for a person; `review_over_true` the judged pairs that wait, by the
    number of true ones. Pairs whose records are not in the radar are left out and counted as `absent`.
    """
    home = {member: thing.iri for thing in linked.things for member in (thing.iri, *thing.others)}
    waiting = {(one.left, one.right) for one in linked.review}
    found: dict[str, float] = dict.fromkeys(
        ("true", "false", "joined", "wrong", "joined_true", "waiting", "waiting_true", "absent"), 0
    )
    for row, left, right in _pairs(graphs, ontology, half):
        if left is None or right is None:
            found["absent"] += 1
            continue
        true = row["verdict"] == "same"
        joined = left == right or home.get(left, left) == home.get(right, right)
        waits = not joined and (min(left, right), max(left, right)) in waiting
        found["true" if true else "false"] += 1
        found["joined"] += joined
        found["wrong"] += joined and not true
        found["joined_true"] += joined and true
        found["waiting"] += waits
        found["waiting_true"] += waits and true
    true_pairs, joined_pairs = max(found["true"], 1), max(found["joined"], 1)
    return {
        "precision": 1 - found["wrong"] / joined_pairs,
        "recall": found["joined_true"] / true_pairs,
        "recall_with_review": (found["joined_true"] + found["waiting_true"]) / true_pairs,
        "review_over_true": found["waiting"] / true_pairs,
        **found,
    }


def errors(
    linked: Linked, graphs: dict[str, Path], ontology: Ontology, half: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """(what went wrong, the row) of each judged pair that was joined wrongly, missed, or left to a person."""
    home = {member: thing.iri for thing in linked.things for member in (thing.iri, *thing.others)}
    waiting = {(one.left, one.right) for one in linked.review}
    for row, left, right in _pairs(graphs, ontology, half):
        if left is None or right is None:
            yield "absent", row
            continue
        true = row["verdict"] == "same"
        joined = left == right or home.get(left, left) == home.get(right, right)
        waits = (min(left, right), max(left, right)) in waiting
        if joined != true:
            yield "wrong" if joined else "waits" if waits else "missed", row
        elif waits and not true:
            yield "waits in vain", row


def _pairs(
    graphs: dict[str, Path], ontology: Ontology, half: str | None
) -> Iterator[tuple[dict[str, str], str | None, str | None]]:
    with (assets.folder("evaluation") / "link" / "pairs.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    if half is not None and half not in {row["half"] for row in rows}:
        raise UnknownName(f"The judged pairs have no half {half!r}.", "Halves: open, locked.")
    known = {source: _Records(path, ontology) for source, path in graphs.items()}
    for row in rows:
        if half in (None, row["half"]):
            yield row, _found(known, row["left"]), _found(known, row["right"])


def _found(known: "dict[str, _Records]", mention: str) -> str | None:
    source, _, rest = mention.partition(":")
    record, mark, name = rest.partition("#")
    return known[source].find(record, name if mark else None) if source in known else None


class _Records:
    """Which IRIs a record of a source became, by its identifier, or by the last step of one that is an address."""

    def __init__(self, path: Path, ontology: Ontology) -> None:
        with gzip.open(path, "rb") as stream:
            text = stream.read()
        resources: dict[str, list[str]] = defaultdict(list)
        base = re.escape(ontology.base.encode())
        for node, resource in re.findall(
            rb"^<(" + base + rb"id/record/[^>]*)> <[^>]*primaryTopic> <([^>]*)>", text, re.M
        ):
            resources[node.decode()].append(resource.decode())
        self._by_id: dict[str, list[str]] = {}
        for node, identifier in re.findall(
            rb"^<(" + base + rb'id/record/[^>]*)> <[^>]*/identifier> "((?:[^"\\]|\\.)*)"', text, re.M
        ):
            record = identifier.decode()
            for name in (record, record.rsplit("/", 1)[-1], "__".join(record.rsplit("/", 2)[-2:])):
                self._by_id.setdefault(name, resources[node.decode()])
        self._bodies: dict[str, list[str]] = defaultdict(list)
        for resource, body in re.findall(
            rb"^<([^>]*)> <[^>]*(?:#lead|#partner|#funding|/publisher|/creator)> <([^>]*)>", text, re.M
        ):
            self._bodies[resource.decode()].append(body.decode())
        self._names: dict[str, set[str]] = defaultdict(set)
        for node, name in re.findall(rb"^<([^>]*)> " + _NAME, text, re.M):
            self._names[node.decode()].add(_plain(name.decode()))

    def find(self, record: str, name: str | None) -> str | None:
        """The resource of a record, or the body of that name in it."""
        resources = self._by_id.get(record, [])
        if name is None:
            # What the record is about, not the needs, figures and bodies that it tells of as well.
            aside = ("/need/", "/barrier/", "/uptake/", "/organisation/")
            own = [iri for iri in resources if not any(kind in iri for kind in aside)]
            return next(iter(own), next((iri for iri in resources if "/organisation/" in iri), None))
        wanted = _plain(name)
        bodies = [body for iri in resources for body in (iri, *self._bodies[iri])]
        return next((body for body in bodies if wanted in self._names[body]), None)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\\(.)", r"\1", text).split())
