"""What must not reach a parser of RDF: bombs, and what would take its stack or hours of its time."""

import codecs
import io
import re

import pyoxigraph as ox

DEEPEST_RDF = 100
"""Deepest nesting of the syntax of an RDF file. The parsers go deeper by recursion, and end the process at some thousands."""
# Whole texts, addresses and remarks are gone over at once, since brackets in them do not count.
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_TURTLE = re.compile(
    rb'"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*+(?:\'\'\')?'
    rb'|"(?:[^"\\\n]|\\.)*+"?|\'(?:[^\'\\\n]|\\.)*+\'?'
    rb"|\\.|<[^<>\s]++>|#[^\n]*+|<<|>>",
    re.DOTALL,
)


def problem(native: bytes, syntax: ox.RdfFormat) -> str:
    """Why these bytes must not reach the parser of their syntax, or nothing."""
    if native.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "The file is UTF-16, and RDF is read as UTF-8 only. Save it as UTF-8."
    if syntax == ox.RdfFormat.RDF_XML:
        return _xml(native)
    if syntax == ox.RdfFormat.JSON_LD:
        return _json(native)
    return _turtle(native)


def _xml(native: bytes) -> str:
    if re.search(rb"<!(DOCTYPE|ENTITY)", native, re.IGNORECASE):
        return "The file has a DOCTYPE, which can hide entities of any size. Take it out."
    from lxml import etree

    level = 0
    try:
        for event, element in etree.iterparse(
            io.BytesIO(native),
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
        ):
            level += 1 if event == "start" else -1
            if level > DEEPEST_RDF:
                return f"The RDF/XML nests deeper than {DEEPEST_RDF} levels."
            if event == "end":
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        # What is only cut off is read as far as it goes; of the rest it cannot be known how the parser takes it.
        last = native.rstrip().count(b"\n") + 1
        if (error.lineno or 0) < last or not level:
            return f"The file is not valid XML: {error.msg}."
    return ""


def _json(native: bytes) -> str:
    marks = _JSON_TEXT.sub(b"", native).translate(_BRACKETS, _NO_BRACKETS)
    # Each round takes away the innermost pairs.
    for _ in range(DEEPEST_RDF):
        less = marks.replace(b"[]", b"")
        if less == marks:
            break
        marks = less
    if marks.count(b"[") > DEEPEST_RDF:
        return f"The JSON-LD nests deeper than {DEEPEST_RDF} levels."
    if re.search(rb'"@context"\s*:\s*(\[[^\]{]*)?"https?:', native):
        return "The JSON-LD has its @context elsewhere on the web, and nothing is fetched while reading. Expand it first."
    return ""


_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _turtle(native: bytes) -> str:
    """Quoted triples within quoted triples are read by recursion."""
    if native.count(b"<<") <= DEEPEST_RDF:
        return ""
    level = 0
    for mark in _TURTLE.finditer(native):
        level += (mark[0] == b"<<") - (mark[0] == b">>")
        if level > DEEPEST_RDF:
            return f"The triples quote each other deeper than {DEEPEST_RDF} levels."
    return ""
