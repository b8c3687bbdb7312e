"""One release from the source graphs; `build` reads top to bottom."""

import hashlib
import heapq
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyoxigraph as ox

from dhu_graph import assets, enrich, index, link, memory, quads, quality
from dhu_graph.embedding import Embedder
from dhu_graph.errors import ReleaseError
from dhu_graph.ingest import Report
from dhu_graph.link import Linked, Linker
from dhu_graph.ontology import Ontology
from dhu_graph.releases.documents import DocumentSource
from dhu_graph.releases.shelf import FORMAT, Release, Shelf, checksum, checksums

BLOCK, LOADERS = 8_000_000, 2
"""Bytes of N-Quads loaded at once, and how many such blocks at the same time; larger ones gain nothing but weight."""

Progress = Callable[[str, int, int], None]
"""Told (step, done, total); total is 0 where it is not known."""


def build(
    shelf: Shelf,
    reports: Iterable[Report],
    ontology: Ontology,
    embedder: Embedder | None,
    *,
    linker: Linker | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Release | None:
    """A new release of the named graphs of these sources, made current; None where nothing has changed.

    The caller holds `shelf.writing()`. A crash at any moment leaves the last release serving: the folder gets its
    name, and the pointer is flipped, only when everything is on disk. With a `linker`, what several sources tell of
    one thing is told of one IRI, each statement in the graph of its source.
    """
    memory.few_heaps()
    memory.give_back()
    reports = sorted(reports, key=lambda r: r.source)
    inputs = _inputs(reports, ontology, embedder, linker)
    numbers = shelf.numbers()
    if not force and (same := _same(shelf, inputs)) is not None:
        if same != shelf.current():
            shelf.flip(same)
        return None
    number = max(numbers, default=0) + 1
    folder = shelf.folder / f"{number:06d}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tell = progress or (lambda step, done, total: None)

    graphs = [shelf.data / "sources" / r.source / "graph.nq.gz" for r in reports]
    linked = linker.run(tell) if linker else Linked()
    tell("enrich", 0, 0)
    derived = list(enrich.Enricher(shelf.data, ontology).run({r.source: r.digest for r in reports}).values())
    tell("quality", 0, 0)
    figures = quality.measure(reports, linked, shelf.data / "sources", ontology)
    with quads.Sorter(shelf.data / "scratch") as moved:
        merged = quads.unique(_merged(graphs, derived, ontology, linked, figures, moved))
        count, digest, store = _write_and_load(folder, merged, tell)
    memory.give_back()
    documents = DocumentSource(store, ontology)
    part = index.build(_Told(documents, tell), folder / "index", embedder, None)
    store.flush()
    del documents, store

    manifest: dict[str, Any] = {
        "format": FORMAT,
        "number": number,
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "inputs": inputs,
        "base": ontology.base,
        "quads": count,
        "digest": digest,
        "sources": {
            r.source: {"quads": r.quads, "records": r.landed, "retrieved": r.retrieved, "digest": r.digest}
            for r in reports
        },
        "links": {
            "mentions": linked.mentions,
            "things": len(linked.things),
            "replaced": len(linked.replaced),
            "review": len(linked.review),
        },
        "index": part,
        "files": checksums(folder),
    }
    manifest["checksum"] = checksum(manifest)
    _write_synced(folder / "manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False))
    final = shelf.folder / f"{number:06d}"
    os.replace(folder, final)
    shelf.flip(number)
    return Release(number, final, manifest)


class _Told:
    """Documents that tell of their progress as they are taken."""

    def __init__(self, documents: DocumentSource, tell: Progress) -> None:
        self._documents, self._tell = documents, tell

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Any]:
        total = len(self._documents)
        for done, document in enumerate(self._documents, 1):
            yield document
            if done % 16 == 0 or done == total:
                self._tell("index", done, total)


def _merged(
    graphs: list[Path],
    derived: list[Path],
    ontology: Ontology,
    linked: Linked,
    figures: list[quality.Measurement],
    moved: quads.Sorter,
) -> Iterator[bytes]:
    """All lines in order; those that speak of a replaced IRI speak of the one that stays."""
    own = heapq.merge(
        (line.encode() for line in ontology.quads()),
        (line.encode() for line in link.quads(linked, ontology)),
        (line.encode() for line in quality.quads(figures, ontology)),
    )
    if not linked.things:
        return heapq.merge(own, *map(quads.read, (*graphs, *derived)))
    # Putting an IRI right changes where a line stands, so those lines are sorted apart before the others are merged.
    replaced = linked.replaced

    dropped = enrich.in_the_way(derived, graphs, replaced, ontology)

    def told() -> Iterator[Iterator[bytes]]:
        yield from map(quads.read, graphs)
        yield from (enrich.lines(path, without) for path, without in dropped.items())

    for lines in told():
        for changed, line in link.rewritten(lines, replaced):
            if changed:
                moved.add([line])
    kept = ((line for changed, line in link.rewritten(lines, replaced) if not changed) for lines in told())
    return heapq.merge(own, moved.sorted(), *kept)


def _write_and_load(folder: Path, lines: Iterator[bytes], tell: Progress) -> tuple[int, str, ox.Store]:
    """Writes `graph.nq.gz` and loads the store in one pass: while blocks are loaded, the next is merged and packed."""
    store = ox.Store(str(folder / "store"))
    loading: deque[Future[None]] = deque()
    held: list[bytes] = []
    size = count = 0

    with ThreadPoolExecutor(LOADERS, thread_name_prefix="load") as pool:

        def load() -> None:
            nonlocal size
            if len(loading) >= LOADERS:
                loading.popleft().result()
            loading.append(pool.submit(store.bulk_load, b"".join(held), ox.RdfFormat.N_QUADS))
            held.clear()
            size = 0
            tell("graph", count, 0)

        def teed() -> Iterator[bytes]:
            nonlocal size, count
            for line in lines:
                held.append(line)
                size += len(line)
                count += 1
                if size > BLOCK:
                    load()
                yield line

        count, digest = quads.write(folder / "graph.nq.gz", teed())
        load()
        for block in loading:
            block.result()
    return count, digest, store


def _inputs(
    reports: Iterable[Report], ontology: Ontology, embedder: Embedder | None, linker: Linker | None
) -> str:
    """A digest of all that a release is made from: equal inputs make no second release."""
    digest = hashlib.sha256(f"{FORMAT} {ontology.fingerprint}".encode())
    for report in reports:
        digest.update(f"{report.source} {report.digest}".encode())
    for path in sorted(assets.folder("index").glob("*.rq")):
        digest.update(path.read_bytes())
    digest.update((embedder.fingerprint if embedder else "words only").encode())
    digest.update((linker.inputs if linker else "").encode())
    digest.update(quality.inputs(reports).encode())
    digest.update(enrich.code().encode())
    return digest.hexdigest()


def _same(shelf: Shelf, inputs: str) -> int | None:
    """The newest release, if it was made from the same inputs."""
    try:
        number = shelf.numbers()[-1]
        return number if shelf.get(number).manifest["inputs"] == inputs else None
    except (IndexError, ReleaseError):  # none yet, or one that a new release must replace
        return None


def _write_synced(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
