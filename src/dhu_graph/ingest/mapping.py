"""From records to DHU triples: raw graph → one SPARQL CONSTRUCT → lines, given back to the record they came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import IO, cast

import pyoxigraph as ox

from dhu_graph.errors import BadInput
from dhu_graph.ingest import facade
from dhu_graph.ingest.functions import FN, Failure, Functions
from dhu_graph.model import Record
from dhu_graph.ontology import Ontology

_TAG = re.compile(rf"<{re.escape(facade.NODE)}(\d+):")
_ESCAPE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}")
_TEXTS = re.compile(
    r"<[^<>\"{}|^`\\\s]*>|#[^\n]*"
    r"|\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'",
    re.DOTALL,
)

_HEAD = f"<{facade.NODE}"


LARGEST_RESULT = 50_000_000
"""Most bytes that a map may make of one batch: lists in one record, set against each other, give their product."""
MOST_PROBLEMS = 100
"""Most problems told of one record."""


class TooMuch(Exception):
    """The map makes too much of a batch; which record it is shows when each is mapped alone."""


class _Bounded:
    """Takes the result of a query, up to LARGEST_RESULT."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self._left = LARGEST_RESULT

    def write(self, block: bytes) -> int:
        """Takes a block."""
        self._left -= len(block)
        if self._left < 0:
            raise TooMuch(f"the map makes more than {LARGEST_RESULT:,} bytes of it")
        self.blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing is held back."""


@dataclass(slots=True)
class Mapped:
    """What a map made of one record: its N-Triples lines, and what went wrong on the way."""

    lines: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


class Mapping:
    """The map of one source, ready to be run on batches of records."""

    def __init__(self, query: str, source: str, language: str, ontology: Ontology) -> None:
        self._query = query.replace("https://w3id.org/dhu/", ontology.base)
        self._functions = Functions(ontology, source)
        self._table = self._functions.table()
        self._prefixes = {**ontology.prefixes, "raw": facade.RAW, "fn": FN}
        self._language = language
        self._kinds = set(ontology.kinds)
        known = {iri.rsplit("#", 1)[-1] for iri in ontology.terms()}
        unknown = sorted(set(re.findall(r"\bdhu:(\w[\w-]*)", _plain(query))) - known)
        if unknown:
            raise BadInput(
                f"{source}/map.rq uses dhu:{', dhu:'.join(unknown)}, which the ontology does not have.",
                "Check the spelling; ingest/README.md lists the properties.",
            )
        self.properties = frozenset(re.findall(r"\braw:(\w[\w-]*)", query))
        self._source = source
        # SERVICE would let a map reach out; a map only rearranges what it is given.
        if re.search(r"\bSERVICE\b", _plain(query), re.IGNORECASE):
            raise BadInput(
                f"{source}/map.rq uses SERVICE.", "A map may only use the record; remove the SERVICE part."
            )

    def run(self, records: Sequence[Record]) -> list[Mapped]:
        """One Mapped per record. Raises BadInput when the map itself is wrong, TooMuch when it makes too much of them."""
        extra = {"_language": self._language}
        raw = "".join(
            line
            for number, record in enumerate(records)
            for line in facade.raw_graph(number, record.fields, extra)
        )
        store = ox.Store()
        store.bulk_load(raw.encode(), ox.RdfFormat.N_TRIPLES)
        self._functions.forget()
        try:
            results = store.query(self._query, prefixes=self._prefixes, custom_functions=self._table)
            if not isinstance(results, ox.QueryTriples):
                raise BadInput(f"{self._source}/map.rq is not a CONSTRUCT query.", "See ingest/README.md.")
            bounded = _Bounded()
            results.serialize(cast(IO[bytes], bounded), format=ox.RdfFormat.N_TRIPLES)
            body = b"".join(bounded.blocks)
        except SyntaxError as error:
            raise BadInput(
                f"{self._source}/map.rq does not parse: {error}.", "Mend the line named."
            ) from None
        mapped = [Mapped() for _ in records]
        for line in body.decode().split("\n")[:-1]:
            number, colon, rest = line[len(_HEAD) :].partition(":")
            if not (colon and line.startswith(_HEAD) and number.isdecimal()):
                raise BadInput(
                    f"{self._source}/map.rq makes a node that belongs to no record: {line[:200]}",
                    "Mint every subject with fn:iri(?r, …) or fn:node(?parent, …).",
                )
            # The tag is taken off the nodes; a text that looks like one stays as it is.
            subject, predicate, value = rest.split(" ", 2)
            if value.startswith(_HEAD):
                value = "<" + value[len(_HEAD) :].partition(":")[2]
            mapped[int(number)].lines.add(f"<{subject} {predicate} {value}")
        self._note_failures(records, mapped)
        return mapped

    def unmapped(self, record: Record, ignored: frozenset[str]) -> set[str]:
        """The paths of a record that the map never mentions and `ignore` does not name."""
        return {
            path
            for path, _ in facade.paths(record.fields)
            if path.rsplit(".", 1)[-1] not in self.properties and not _ignores(ignored, path)
        }

    def _note_failures(self, records: Sequence[Record], mapped: list[Mapped]) -> None:
        """A function sees a value, not its record: look up which records of the batch hold the value."""
        failures = set(self._functions.failures)
        if not failures:
            return
        by_value: dict[str, list[Failure]] = {}
        for failure in failures:
            by_value.setdefault(failure[1].strip(), []).append(failure)
        noted: set[Failure] = set()
        for record, result in zip(records, mapped, strict=True):
            values: dict[str, str] = {}
            for path, value in facade.paths(record.fields):
                if (text := str(value).strip()) in by_value:
                    values.setdefault(text, path)
            found = sorted(failure for value in values for failure in by_value[value])
            noted.update(found)
            result.problems += _few(
                [
                    f"{values[value.strip()]}: fn:{name} cannot use {value.strip()[:100]!r}"
                    for name, value in found
                ]
            )
        # What the map computed stands in no record as it is: it is told with the first record of the batch.
        mapped[0].problems += _few(
            [
                f"in this record or one of the {len(records) - 1} after it: fn:{name} cannot use {value.strip()[:100]!r}, which the map computed"
                for name, value in sorted(failures - noted)
            ]
        )


def _few(problems: list[str]) -> list[str]:
    """The first problems, and how many more there are."""
    more = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], f"and {more:,} more of the sort"] if more > 0 else problems


@lru_cache(10_000)
def _ignores(ignored: frozenset[str], path: str) -> bool:
    """Whether a path, or an object on the way to it, is named, or fits a pattern such as `description.*.logo`."""
    parts = path.split(".")
    ways = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
    return not ways.isdisjoint(ignored) or any("*" in name and fnmatchcase(path, name) for name in ignored)


def _plain(query: str) -> str:
    """A query with its escapes written out and without addresses, texts and remarks, in which words may hide."""
    written = _ESCAPE.sub(lambda m: chr(int(m.group()[2:], 16) % 0x110000), query)
    return _TEXTS.sub(" ", written)
