"""Documents on disk: the row of each, its text, and the filter columns, which are the only filter truth."""

import hashlib
import json
import mmap
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dhu_graph.errors import BadInput, UnknownName, UsageError
from dhu_graph.model import FILTER_COLUMNS, Document, Filter

TEXTS, COLUMNS = "documents.jsonl", "documents.npz"

Rows = NDArray[np.int64]
"""Row numbers, ascending and unique."""


class DocumentsWriter:
    """Writes documents one by one; holds only offsets, IRIs and filter values in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = (folder / TEXTS).open("wb")
        self._offsets = array("q", [0])
        self._keys = array("Q")
        self._postings: dict[str, dict[str, array[int]]] = defaultdict(
            lambda: defaultdict(lambda: array("q"))
        )
        self.languages: Counter[str] = Counter()

    def add(self, document: Document) -> int:
        """The row it was given: 0, 1, 2 …. Raises BadInput on a column of another name."""
        row = len(self._keys)
        if wrong := sorted(set(document.filters) - set(FILTER_COLUMNS)):
            raise BadInput(f"{document.iri} has unknown filter columns: {', '.join(wrong)}.", _columns())
        self._keys.append(_key(document.iri))
        line = {name: getattr(document, name) for name in Document.__slots__}
        self._offsets.append(
            self._offsets[-1] + self._file.write(json.dumps(line, ensure_ascii=True).encode() + b"\n")
        )
        for column, values in document.filters.items():
            for value in set(values):
                self._postings[column][value].append(row)
        self.languages[language_of(document)] += 1
        return row

    def close(self) -> None:
        """Writes the columns; the documents can be opened from now on. Raises BadInput where two have the same IRI."""
        self._file.close()
        keys = np.array(self._keys, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        self._check_unique(order[:-1][keys[order][1:] == keys[order][:-1]], order, keys)
        arrays: dict[str, NDArray[Any]] = {
            "offsets": np.array(self._offsets, dtype=np.int64),
            "keys": keys[order],
            "key_rows": order.astype(np.int64),
        }
        for column in FILTER_COLUMNS:
            postings = self._postings.get(column, {})
            values = sorted(postings)
            rows = [np.array(postings[value], dtype=np.int64) for value in values]
            arrays[f"{column}.values"] = np.array(values, dtype=np.str_)
            arrays[f"{column}.starts"] = np.cumsum([0, *map(len, rows)], dtype=np.int64)
            arrays[f"{column}.rows"] = np.concatenate([*rows, np.empty(0, dtype=np.int64)])
        np.savez(self._folder / COLUMNS, allow_pickle=False, **arrays)

    def _check_unique(self, doubled: NDArray[Any], order: NDArray[Any], keys: NDArray[Any]) -> None:
        # Only IRIs are compared whose keys are equal; keeping all of them would take more memory than all else.
        for row in doubled:
            same = {self._iri(int(other)) for other in order[keys[order] == keys[row]]}
            if len(same) < int((keys == keys[row]).sum()):
                raise BadInput(f"Two documents have the same IRI: {min(same)}.", "Mend index/document.rq.")

    def _iri(self, row: int) -> str:
        with (self._folder / TEXTS).open("rb") as file:
            file.seek(self._offsets[row])
            return str(json.loads(file.read(self._offsets[row + 1] - self._offsets[row]))["iri"])


class Documents:
    """The documents of an index, read from disk as needed; many threads may read at once."""

    def __init__(self, folder: Path) -> None:
        self._arrays = load_arrays(folder / COLUMNS)
        self._values = {
            c: {str(v): i for i, v in enumerate(self._arrays[f"{c}.values"])} for c in FILTER_COLUMNS
        }
        with (folder / TEXTS).open("rb") as file:
            size = file.seek(0, 2)
            # A map is read by slices, so threads share no file position; an empty file cannot be mapped.
            self._texts: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        if size != self._arrays["offsets"][-1]:
            raise ValueError(f"{TEXTS} has {size} bytes, {COLUMNS} says {self._arrays['offsets'][-1]}")

    def __len__(self) -> int:
        return len(self._arrays["keys"])

    def get(self, row: int) -> Document:
        """The document of a row. Raises IndexError beyond the last."""
        if not 0 <= row < len(self):
            raise IndexError(row)
        start, stop = self._arrays["offsets"][row : row + 2]
        fields = json.loads(self._texts[start:stop])
        fields["filters"] = {column: tuple(values) for column, values in fields["filters"].items()}
        return Document(**fields)

    def row(self, iri: str) -> int:
        """The row of an IRI. Raises UnknownName."""
        keys, key = self._arrays["keys"], np.uint64(_key(iri))
        for at in range(int(np.searchsorted(keys, key, "left")), int(np.searchsorted(keys, key, "right"))):
            row = int(self._arrays["key_rows"][at])
            if self.get(row).iri == iri:
                return row
        raise UnknownName(f"Nothing here has the IRI {iri}.")

    def rows(self, filter: Filter) -> Rows:
        """The rows that pass: any of the values in each column, all columns. Raises UsageError on another column."""
        if wrong := sorted(set(filter.columns) - set(FILTER_COLUMNS)):
            raise UsageError(f"There is no filter {', '.join(map(repr, wrong))}.", _columns())
        passed = np.ones(len(self), dtype=np.bool_)
        for column, values in filter.columns.items():
            inside = np.zeros(len(self), dtype=np.bool_)
            starts, rows = self._arrays[f"{column}.starts"], self._arrays[f"{column}.rows"]
            for value in self._spelt_out(column, values):
                if (code := self._values[column].get(value)) is not None:
                    inside[rows[starts[code] : starts[code + 1]]] = True
            passed &= inside
        return np.flatnonzero(passed).astype(np.int64)

    def _spelt_out(self, column: str, values: Iterable[str]) -> Iterable[str]:
        """Years for a span of them: `2020-`, `-2020`, `2020-2022`."""
        for value in values:
            first, dash, last = value.partition("-")
            if column == "year" and dash:
                yield from (
                    year for year in self._values[column] if first <= year and (not last or year <= last)
                )
            else:
                yield value

    def sorted(self, rows: Rows, by: str) -> Rows:
        """Rows in the order of `title`, or by `year`, the latest first and those without one last; ties by row."""
        place = self._titles if by == "title" else self._years
        return rows[np.argsort(place[rows], kind="stable")]

    @cached_property
    def _titles(self) -> NDArray[np.int64]:
        """Row → place of its title in the order of words, whatever the case."""
        titles = [self.get(row).title.casefold() for row in range(len(self))]
        places = np.empty(len(titles), dtype=np.int64)
        places[sorted(range(len(titles)), key=titles.__getitem__)] = np.arange(len(titles))
        return places

    @cached_property
    def _years(self) -> NDArray[np.int64]:
        """Row → its latest year with a minus, 0 where it has none."""
        found = np.zeros(len(self), dtype=np.int64)
        starts, rows = self._arrays["year.starts"], self._arrays["year.rows"]
        for value, code in self._values["year"].items():
            if value.isdigit():
                inside = rows[starts[code] : starts[code + 1]]
                found[inside] = np.minimum(found[inside], -int(value))
        return found

    def values(self, column: str) -> list[str]:
        """The values that any document has in a column, in their order."""
        return sorted(self._values[column])

    def having(self, column: str) -> Rows:
        """The rows that have any value of a column."""
        return np.unique(self._arrays[f"{column}.rows"]).astype(np.int64)

    def facets(self, rows: Iterable[int] | Rows | None = None) -> dict[str, dict[str, int]]:
        """How many of the rows (None: of all) have each value of each column, the most frequent first.

        The count of a value is what `rows()` gives for a filter by it, since both read the same postings.
        """
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[slice(None) if rows is None else np.asarray(rows, dtype=np.int64)] = True
        found = {}
        for column, codes in self._values.items():
            sums = np.concatenate([[0], np.cumsum(chosen[self._arrays[f"{column}.rows"]])])
            counts = np.diff(sums[self._arrays[f"{column}.starts"]])
            pairs = ((value, int(counts[code])) for value, code in codes.items() if counts[code])
            found[column] = dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
        return found


def language_of(document: Document) -> str:
    """The primary language subtag of a document (`en` of `en-GB`), `und` where it has none."""
    return document.language.split("-")[0].strip().lower() or "und"


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an `.npz` file. Raises what numpy raises on a broken one."""
    # Opened here, because numpy leaves the file open where it is no archive.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _key(iri: str) -> int:
    return int.from_bytes(hashlib.blake2b(iri.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _columns() -> str:
    return f"The columns are {', '.join(FILTER_COLUMNS)}."
