"""From the graph of a release to its documents, as `index/resource.rq` and `index/document.rq` say."""

from collections.abc import Iterator

import pyoxigraph as ox

from dhu_graph import assets
from dhu_graph.errors import BadInput
from dhu_graph.model import FILTER_COLUMNS, Document
from dhu_graph.ontology import Ontology, rebased

BATCH = 500
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
        for start in range(0, len(self._resources), BATCH):
            batch = self._resources[start : start + BATCH]
            values: dict[str, dict[str, set[str]]] = {iri: {} for iri in batch}
            languages: dict[str, str] = {}
            slot = "VALUES ?resource { " + " ".join(f"<{iri}>" for iri in batch) + " }"
            for row in self._select(self._query.replace(_SLOT, slot)):
                iri, column, value = row["resource"].value, row["column"].value, row["value"]
                values[iri].setdefault(column, set()).add(self._short(column, value))
                if column == "title":
                    languages[iri] = value.language or "en"
            for iri in batch:
                yield _document(iri, values[iri], languages.get(iri, "en"))

    def _select(self, query: str) -> ox.QuerySolutions:
        results = self._store.query(query, use_default_graph_as_union=True, prefixes=self._ontology.prefixes)
        assert isinstance(results, ox.QuerySolutions)
        return results

    def _short(self, column: str, value: ox.NamedNode | ox.Literal) -> str:
        if column == "kind":
            return self._ontology.kinds.get(value.value, "")
        return self._ontology.notation(value.value) if isinstance(value, ox.NamedNode) else str(value.value)


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
    return Document(iri, kind, title, summary, "\n".join(parts), language, filters)


def _sentence(text: str) -> str:
    """A line that ends like a sentence, so that windows of the text break there."""
    return text if text.endswith((".", "!", "?", "…")) else text + "."
