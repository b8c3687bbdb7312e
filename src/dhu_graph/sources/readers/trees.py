"""YAML and XML, read as the trees that JSON has."""

import datetime
from collections.abc import Iterator
from typing import IO, Any

from dhu_graph.model import Record
from dhu_graph.sources.fetch import File
from dhu_graph.sources.readers.common import (
    DEEPEST,
    LONGEST,
    MOST_VALUES,
    Unreadable,
    broken_text,
    depth,
    identifier,
    misread,
    texts,
    whole,
)

MOST_NODES = 300_000
"""Most values of one YAML file, as written and with its aliases written out."""
LONGEST_TYPED = 40
"""A YAML scalar that is longer is a text: to turn `1:1:1…` into a number can take hours."""
LATEST_ROOT = 1_000_000
"""Bytes of an XML file within which its first element must begin; only declarations stand before it."""


def yaml(file: File) -> Iterator[Record | Unreadable]:
    """One mapping a document; several documents in a file are several records."""
    import yaml as pyyaml

    native = whole(file.path, LONGEST)
    if native is None:
        yield Unreadable(file.name, b"", f"The file is longer than {LONGEST:,} bytes, which no record is.")
        return
    try:
        text = native.decode(file.input.encoding)
        _measured(text)
        nodes = list(pyyaml.compose_all(text, _loader()))
    except (pyyaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        words = getattr(error, "problem", None) or (
            "it nests too deeply" if isinstance(error, RecursionError) else str(error)
        )
        yield Unreadable(file.name, native, f"The file is not valid YAML{place}: {words}.")
        return
    budget = _Budget()
    for number, node in enumerate(nodes, 1):
        where = file.name if len(nodes) == 1 else f"{file.name}, document {number}"
        if len(nodes) > 1:
            native = text[node.start_mark.index : node.end_mark.index].encode()
        try:
            budget.document()
            tree = _plain(node, budget)
        except (pyyaml.YAMLError, ValueError) as error:
            words = getattr(error, "problem", None) or str(error)
            yield Unreadable(where, native, f"The document cannot be read: {words}.")
            continue
        if not isinstance(tree, dict) or depth(tree) > DEEPEST:
            yield Unreadable(where, native, f"The file is not one YAML mapping of at most {DEEPEST} levels.")
        elif problem := broken_text("".join(texts(tree)), file.input.encoding) or misread(
            native if len(nodes) == 1 else b"", file.input.encoding
        ):
            yield Unreadable(where, native, problem)
        else:
            yield Record(identifier(file.input, tree, file.name), where, native, tree)


def _loader() -> Any:
    """The loader of libyaml, ten times as fast, where PyYAML has it."""
    import yaml as pyyaml

    return getattr(pyyaml, "CSafeLoader", pyyaml.SafeLoader)


def _measured(text: str) -> None:
    """Goes through a text once without keeping anything. Raises ValueError where it would fill the memory or the stack."""
    import yaml as pyyaml

    count = level = 0
    for event in pyyaml.parse(text, _loader()):
        count += not isinstance(event, (pyyaml.CollectionEndEvent, pyyaml.DocumentEndEvent))
        level += isinstance(event, pyyaml.CollectionStartEvent) - isinstance(event, pyyaml.CollectionEndEvent)
        if level > DEEPEST + 1:
            raise ValueError(f"it nests deeper than {DEEPEST} levels")
        if count > MOST_NODES:
            raise ValueError(f"it has more than {MOST_NODES:,} values")


class _Budget:
    """Counts values and characters of a document, so that aliases of aliases end somewhere."""

    def __init__(self) -> None:
        self.values = self.characters = 0
        self.whole = MOST_NODES

    def document(self) -> None:
        """Begins the next document."""
        self.values, self.characters = min(MOST_VALUES, self.whole), LONGEST

    def take(self, text: str = "") -> None:
        """Counts one value. Raises ValueError where there are too many."""
        self.values -= 1
        self.whole -= 1
        self.characters -= len(text)
        if self.values < 0:
            raise ValueError(f"with its aliases written out it has more than {MOST_VALUES:,} values")
        if self.characters < 0:
            raise ValueError(f"with its aliases written out it is longer than {LONGEST:,} characters")


def _plain(node: Any, budget: _Budget, level: int = 0) -> Any:
    """A composed YAML node as plain values; keys are texts and stand once."""
    import yaml as pyyaml

    budget.take(node.value if isinstance(node, pyyaml.ScalarNode) else "")
    if level > DEEPEST + 1:
        raise ValueError(f"it nests deeper than {DEEPEST} levels")
    if isinstance(node, pyyaml.ScalarNode):
        if len(node.value) > LONGEST_TYPED:
            return str(node.value)
        try:
            value = pyyaml.SafeLoader("").construct_object(node)
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):
            return node.value  # `2024-02-31` looks like a date and is none; `!!bool maybe` is no bool
        kept = isinstance(value, (str, bool, int)) or value is None
        if isinstance(value, (datetime.date, datetime.datetime, float, bytes)):
            return node.value
        return value if kept else node.value
    if isinstance(node, pyyaml.SequenceNode):
        return [_plain(each, budget, level + 1) for each in node.value]
    found: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.value:
        if key.tag == "tag:yaml.org,2002:merge":
            given = _plain(value, budget, level + 1)
            for each in given if isinstance(given, list) else [given]:
                if not isinstance(each, dict):
                    raise ValueError(f"what `<<` names in line {key.start_mark.line + 1} is no mapping")
                merged = {**each, **merged}
            continue
        name = str(key.value) if isinstance(key, pyyaml.ScalarNode) else "?"
        if name in found:
            raise ValueError(f"the key {name!r} stands twice, in line {key.start_mark.line + 1} again")
        budget.take(name)
        found[name] = _plain(value, budget, level + 1)
    return {**merged, **found}


def xml(file: File) -> Iterator[Record | Unreadable]:
    """Each element of the name that `records` gives, wherever it stands; without `records`, the root.

    A record of more than LONGEST bytes is let go of while it is read, and so is all that is no record.
    Child elements become keys by their local names, several of a name a list; attributes are keys too, after `@` where an
    element has the same name; an element with attributes has its text under `value`. A DOCTYPE is refused.
    """
    from lxml import etree

    wanted = file.input.records
    name, count, inner, size, values = wanted or "record", 0, 0, 0, 0
    try:
        with file.path.open("rb") as stream:
            source = _Begun(stream)
            events = etree.iterparse(
                source,
                events=("start", "end"),
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
            )
            for event, element in events:
                if event == "start":
                    if element.getparent() is None:
                        source.begun = True
                        if element.getroottree().docinfo.doctype:
                            words = (
                                "The file has a DOCTYPE, which can hide entities of any size. Take it out."
                            )
                            yield Unreadable(f"{file.name}, line 1", b"", words)
                            return
                    if not inner:
                        size = values = 0
                    inner += _is(element, wanted)
                    values += 1 + len(element.attrib)
                    continue
                if _is(element, wanted):
                    inner -= 1
                    if not inner:
                        count += 1
                        where = f"{file.name}, line {element.sourceline}"
                        if size > LONGEST or values > MOST_VALUES:
                            words = f"The element {name!r} is longer than {LONGEST:,} bytes or has more than {MOST_VALUES:,} values."
                            yield Unreadable(where, b"", words)
                        else:
                            native = etree.tostring(element, encoding="utf-8", with_tail=False)
                            if len(native) > LONGEST:
                                words = f"The element {name!r} is longer than {LONGEST:,} bytes."
                                yield Unreadable(where, b"", words)
                            else:
                                yield _element(file, where, native, element)
                size += len(element.text or "") + len(element.tag)
                if not inner or size > LONGEST or values > MOST_VALUES:
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
    except etree.XMLSyntaxError as error:
        line = error.lineno or 0
        yield Unreadable(
            f"{file.name}, line {line}", b"", f"The file is not valid XML from here on: {error.msg}."
        )
        return
    except ValueError as error:
        yield Unreadable(file.name, b"", f"The file is not read: {error}.")
        return
    if not count:
        yield Unreadable(file.name, b"", f"There is no element {name!r} in the file.")


class _Begun:
    """A stream that ends in ValueError where no element has begun after LATEST_ROOT bytes of declarations."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left, self.begun = stream, LATEST_ROOT, False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        self._left -= size
        if not self.begun and self._left < 0:
            raise ValueError(f"it has no element in its first {LATEST_ROOT:,} bytes")
        return self._stream.read(size)


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
