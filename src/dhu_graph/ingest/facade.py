"""A record as a tiny raw graph, ready to be queried: the facade, after SPARQL Anything (https://sparql-anything.cc).

A key becomes a property `raw:key`, a list several values, an object a node of its own. The node of a record is
`urn:dhu:record:7` (its number in the batch), that of a nested object `urn:dhu:record:7/sources/0`.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

RAW = "urn:dhu:raw:"
NODE = "urn:dhu:record:"
_XSD = "http://www.w3.org/2001/XMLSchema#"
LONGEST_NAME = 100
"""Longest name of a property; a longer key is cut and gets a digest. Names of nested objects hold those of all above."""
_UNSAFE = re.compile(r"[^\w]+")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def raw_graph(number: int, fields: Mapping[str, Any], extra: Mapping[str, str]) -> Iterator[str]:
    """N-Triples lines of one record; `extra` are properties of the batch, such as its language."""
    node = f"<{NODE}{number}>"
    yield f"{node} <{RAW}is> <{RAW}Record> .\n"
    for name, value in extra.items():
        yield f"{node} <{RAW}{name}> {literal(value)} .\n"
    yield from _walk(node, fields)


def slug(key: str) -> str:
    """The local name of `raw:` for a key: letters lose their accents, runs of other characters become `-`.

    `País` → `Pais`, `N.º` → `N-o`, `Χώρα` → `Χωρα`.
    """
    return _name(key) if len(key) <= LONGEST_NAME else _cut(key)


@lru_cache(10_000)
def _name(key: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", key) if not unicodedata.combining(c))
    return _UNSAFE.sub("-", plain).strip("-") or "x"


def _cut(key: str) -> str:
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{_name(key[: LONGEST_NAME - 9])}-{digest}"


def _named(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields of an object by the names of their properties; a name already taken gets a number."""
    taken: dict[str, int] = {}  # each name with the number that is tried next
    for key, value in fields.items():
        name = candidate = slug(str(key))
        number = taken.get(name, 2)
        while candidate in taken:
            candidate, number = f"{name}-{number}", number + 1
        taken[candidate] = taken.get(candidate, 2)
        taken[name] = number
        yield candidate, value


def paths(fields: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a record as (`lead.name`, value), with the keys as they stand in `raw:`."""
    for name, value in _named(fields):
        for item in _items(value):
            if isinstance(item, dict):
                yield from paths(item, f"{prefix}{name}.")
            elif item is not None:
                yield prefix + name, item


def literal(value: Any) -> str:
    """An N-Triples literal of a JSON value."""
    if isinstance(value, bool):
        return f'"{str(value).lower()}"^^<{_XSD}boolean>'
    if isinstance(value, int):
        return f'"{value}"^^<{_XSD}integer>'
    if isinstance(value, float):
        return f'"{repr(value).replace("inf", "INF")}"^^<{_XSD}double>'
    return f'"{str(value).translate(_ESCAPES)}"'


def _walk(node: str, fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in _named(fields):
        for position, item in enumerate(_items(value)):
            if isinstance(item, dict):
                child = f"{node[:-1]}/{name}/{position}>"
                yield f"{node} <{RAW}{name}> {child} .\n"
                yield from _walk(child, item)
            elif item is not None:
                yield f"{node} <{RAW}{name}> {literal(item)} .\n"


def _items(value: Any) -> Iterator[Any]:
    """The items of a list, those of lists inside it too, or the one value."""
    if isinstance(value, list):
        for item in value:
            yield from _items(item)
    else:
        yield value
