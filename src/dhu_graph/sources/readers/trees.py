"""YAML and XML, read as the trees that JSON has."""

import datetime
from collections.abc import Iterator
from typing import Any

from dhu_graph.model import Record
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import (
    DEEPEST,
    LONGEST,
    Unreadable,
    broken_text,
    depth,
    identifier,
    texts,
    whole,
)

MOST_NODES = 200_000
"""Nodes of one YAML document with its aliases written out; a bomb of anchors has millions."""


def yaml(file: File) -> Iterator[Record | Unreadable]:
    """One mapping a document; several documents in a file are several records."""
    import yaml as pyyaml

    native = whole(file.path, LONGEST)
    if native is None:
        yield Unreadable(file.name, b"", f"The file is longer than {LONGEST:,} bytes, which no record is.")
        return
    try:
        text = native.decode(file.input.encoding)
        trees = [_plain(node, _Budget()) for node in pyyaml.compose_all(text, pyyaml.SafeLoader)]
    except (pyyaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        words = getattr(error, "problem", None) or (
            "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        )
        yield Unreadable(file.name, native, f"The file is not valid YAML{place}: {words}.")
        return
    for number, tree in enumerate(trees, 1):
        where = file.name if len(trees) == 1 else f"{file.name}, document {number}"
        if not isinstance(tree, dict) or depth(tree) > DEEPEST:
            yield Unreadable(where, native, f"The file is not one YAML mapping of at most {DEEPEST} levels.")
        elif problem := broken_text("".join(texts(tree)), file.input.encoding):
            yield Unreadable(where, native, problem)
        else:
            yield Record(identifier(file.input, tree, file.name), where, native, tree)


class _Budget:
    """Counts nodes, so that aliases of aliases end somewhere."""

    def __init__(self) -> None:
        self.left = MOST_NODES

    def take(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise ValueError(f"with its aliases written out it has more than {MOST_NODES:,} values")


def _plain(node: Any, budget: _Budget, level: int = 0) -> Any:
    """A composed YAML node as plain values; keys are texts and stand once."""
    import yaml as pyyaml

    budget.take()
    if level > DEEPEST + 1:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    if isinstance(node, pyyaml.ScalarNode):
        try:
            value = pyyaml.SafeLoader("").construct_object(node)
        except (ValueError, OverflowError):  # `2024-02-31` looks like a date and is none
            return node.value
        kept = isinstance(value, (str, bool, int)) or value is None
        if isinstance(value, (datetime.date, datetime.datetime, float, bytes)):
            return node.value
        return value if kept else node.value
    if isinstance(node, pyyaml.SequenceNode):
        return [_plain(each, budget, level + 1) for each in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        name = str(key.value) if isinstance(key, pyyaml.ScalarNode) else "?"
        if name in found:
            raise ValueError(f"the key {name!r} stands twice, in line {key.start_mark.line + 1} again")
        found[name] = _plain(value, budget, level + 1)
    return found


def xml(file: File) -> Iterator[Record | Unreadable]:
    """Each element of the name that `records` gives, wherever it stands; without `records`, the root.

    Child elements become keys by their local names, several of a name a list; attributes are keys too, after `@` where an
    element has the same name; an element with attributes has its text under `value`. A DOCTYPE is refused.
    """
    from lxml import etree

    wanted = file.input.records
    name, count = wanted or "record", 0
    try:
        events = etree.iterparse(
            str(file.path),
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        inner = 0
        for event, element in events:
            if event == "start":
                if element.getparent() is None and element.getroottree().docinfo.doctype:
                    words = "The file has a DOCTYPE, which can hide entities of any size. Take it out."
                    yield Unreadable(f"{file.name}, line 1", b"", words)
                    return
                inner += _is(element, wanted)
                continue
            if not _is(element, wanted):
                continue
            inner -= 1
            if inner:
                continue
            count += 1
            where = f"{file.name}, line {element.sourceline}"
            native = etree.tostring(element, encoding="utf-8", with_tail=False)
            if len(native) > LONGEST:
                yield Unreadable(where, b"", f"The element {name!r} is longer than {LONGEST:,} bytes.")
            else:
                yield _element(file, where, native, element)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        line = error.lineno or 0
        yield Unreadable(
            f"{file.name}, line {line}", b"", f"The file is not valid XML from here on: {error.msg}."
        )
        return
    if not count:
        yield Unreadable(file.name, b"", f"There is no element {name!r} in the file.")


def _is(element: Any, wanted: str) -> bool:
    return element.getparent() is None if not wanted else _local(element) == wanted


def _element(file: File, where: str, native: bytes, element: Any) -> Record | Unreadable:
    try:
        tree = _tree(element)
    except RecursionError:
        tree = None
    if depth(tree) > DEEPEST or tree is None:
        return Unreadable(where, native, f"The element nests deeper than {DEEPEST} levels.")
    fields = tree if isinstance(tree, dict) else {"value": tree}
    return Record(identifier(file.input, fields, file.name), where, native, fields)


def _tree(element: Any) -> Any:
    found: dict[str, Any] = {}
    for child in element:
        if isinstance(child.tag, str):
            value = _tree(child)
            if value not in ("", {}):
                found.setdefault(_local(child), []).append(value)
    plain: dict[str, Any] = {key: values[0] if len(values) == 1 else values for key, values in found.items()}
    for key, value in element.attrib.items():
        name = key.rsplit("}", 1)[-1]
        if value.strip():
            plain[f"@{name}" if name in plain else name] = value
    text = "".join(element.itertext(with_tail=True) if not found else [element.text or ""]).strip()
    if not plain:
        return text
    if text:
        plain["@value" if "value" in plain else "value"] = text
    return plain


def _local(element: Any) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
