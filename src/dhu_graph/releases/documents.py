"""From the graph of a release to its documents, as `index/resource.rq` and `index/document.rq` say."""

import json
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyoxigraph as ox

from dhu_graph import assets
from dhu_graph.errors import BadInput
from dhu_graph.model import FILTER_COLUMNS, Document
from dhu_graph.ontology import Ontology, rebased

BATCH = 250
_SPOKEN = {"title": "http://purl.org/dc/terms/title", "summary": "http://purl.org/dc/terms/description"}
_SLOT = "VALUES ?resource {}"


class DocumentSource:
    """The documents of a store, one after the other; `len()` tells how many there will be."""

    def __init__(self, store: ox.Store, ontology: Ontology) -> None:
        self._store, self._ontology = store, ontology
        folder = assets.folder("index")
        self._query = rebased(folder / "document.rq", ontology.base)
        if _SLOT not in self._query:
            raise BadInput(f"index/document.rq lacks `{_SLOT}`.", "Put it back at the head of each branch.")
        rows = self._select(rebased(folder / "resource.rq", ontology.base))
        # Sorted, so that the same graph always gives the same rows.
        self._resources = sorted(str(row["resource"].value) for row in rows)

    def __len__(self) -> int:
        return len(self._resources)

    def __iter__(self) -> Iterator[Document]:
        # The store answers in threads of its own, without Python's lock, while the documents before are indexed.
        threads = os.cpu_count() or 1
        waiting: deque[tuple[list[str], Future[bytes]]] = deque()
        with ThreadPoolExecutor(threads, thread_name_prefix="documents") as pool:
            for start in range(0, len(self._resources), BATCH):
                batch = self._resources[start : start + BATCH]
                waiting.append((batch, pool.submit(self._answer, batch)))
                if len(waiting) > threads:
                    yield from self._documents(*waiting.popleft())
            for batch, answer in waiting:
                yield from self._documents(batch, answer)

    def _answer(self, batch: list[str]) -> bytes:
        """The rows of `index/document.rq` for these resources, in SPARQL's JSON."""
        slot = "VALUES ?resource { " + " ".join(f"<{iri}>" for iri in batch) + " }"
        rows = self._select(self._query.replace(_SLOT, slot))
        return rows.serialize(format=ox.QueryResultsFormat.JSON) or b""

    def _documents(self, batch: list[str], answer: Future[bytes]) -> Iterator[Document]:
        values: dict[str, dict[str, set[str]]] = {iri: {} for iri in batch}
        languages: dict[str, str] = {}
        for row in json.loads(answer.result())["results"]["bindings"]:
            iri, column, value = row["resource"]["value"], row["column"]["value"], row["value"]
            values[iri].setdefault(column, set()).add(self._short(column, value))
            if column == "title":
                languages[iri] = value.get("xml:lang", "en")
        for iri in batch:
            for column, predicate in _SPOKEN.items():
                if len(values[iri].get(column, ())) > 1:
                    values[iri][column] = self._first_words(iri, predicate, values[iri][column])
            yield _document(iri, values[iri], languages.get(iri, "en"))

    def _first_words(self, iri: str, predicate: str, told: set[str]) -> set[str]:
        """Of what several sources say of one thing, the words of the source that gave it its IRI; all where it says nothing."""
        own = {
            quad.object.value
            for quad in self._store.quads_for_pattern(ox.NamedNode(iri), ox.NamedNode(predicate), None, None)
            if isinstance(quad.object, ox.Literal) and gave(quad, iri)
        }
        return own & told or told

    def _select(self, query: str) -> ox.QuerySolutions:
        results = self._store.query(query, use_default_graph_as_union=True, prefixes=self._ontology.prefixes)
        assert isinstance(results, ox.QuerySolutions)
        return results

    def _short(self, column: str, value: dict[str, Any]) -> str:
        text: str = value["value"]
        if column == "kind":
            return self._ontology.kinds.get(text, "")
        return self._ontology.notation(text) if value["type"] == "uri" else text


def gave(quad: ox.Quad, iri: str) -> bool:
    """Whether a statement stands in the graph of the source that gave this IRI, which is the one that ranks first."""
    graph = quad.graph_name.value.rsplit("/", 1)[-1] if isinstance(quad.graph_name, ox.NamedNode) else ""
    return bool(graph) and iri.rsplit("/", 1)[-1].startswith(f"{graph}-")


def _document(iri: str, values: dict[str, set[str]], language: str) -> Document:
    title = min(values.get("title", {""}))
    summary = min(values.get("summary", {""}))
    parts = [title]
    for column in sorted(values, key=lambda name: name.rpartition("-")[2]):
        if column.startswith("text-"):
            parts += [_sentence(value) for value in sorted(values[column])]
        elif column.startswith("list-"):
            parts.append(", ".join(sorted(values[column])) + ".")
    filters = {c: tuple(sorted(values[c] - {""})) for c in FILTER_COLUMNS if values.get(c)}
    filters["language"] = (language,)
    kind = next(iter(filters.get("kind", ())), "")
    as_of = max(values.get("as-of", {""}))
    return Document(iri, kind, title, summary, "\n".join(parts), language, filters, as_of)


def _sentence(text: str) -> str:
    """A line that ends like a sentence, so that windows of the text break there."""
    return text if text.endswith((".", "!", "?", "…")) else text + "."
