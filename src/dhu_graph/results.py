"""SPARQL answers as Python values: rows as dicts, ASK as a bool, graphs as rdflib."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import rdflib


def as_python(run: Callable[[str], bytes], form: str) -> "rdflib.Graph | list[dict[str, Any]] | bool":
    """`run(format)` gives the serialised answer; `form` is SELECT, ASK, CONSTRUCT or DESCRIBE.

    In rows, numbers, booleans and dates are Python values, everything else is text; unbound variables are None.
    """
    import rdflib

    if form in ("CONSTRUCT", "DESCRIBE"):
        return rdflib.Graph().parse(data=run("n-triples"), format="nt")
    answer = json.loads(run("json"))
    if form == "ASK":
        return bool(answer["boolean"])
    names = answer["head"]["vars"]
    return [{name: _value(row.get(name)) for name in names} for row in answer["results"]["bindings"]]


def _value(term: dict[str, str] | None) -> Any:
    import rdflib

    if term is None:
        return None
    if term["type"] != "literal" or "datatype" not in term:
        return term["value"]
    value = rdflib.Literal(term["value"], datatype=rdflib.URIRef(term["datatype"])).toPython()
    return str(value) if isinstance(value, rdflib.term.Identifier) else value
