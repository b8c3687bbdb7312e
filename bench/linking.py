"""Linking of N synthetic records, a tenth of them disguised duplicates in a second source, with the embeddings given.

The records are those of `generate`, recombined from real titles, sentences and bodies. A duplicate has its title written
otherwise (case, order, a slip, an addition), its page at a variant of the address, some of its sentences, and a lead with
another legal form. Embeddings are bags of words weighted by rarity, projected to 384 numbers, so that the model costs nothing.
"""

import json
import math
import random
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import generate
from bench.pools import Fields
from bench.process import ROOT
from dhu_graph import ontology, quads
from dhu_graph.link import Linker
from dhu_graph.link.mentions import mentions
from dhu_graph.ontology import Ontology

BASE, DISGUISED = "alpha", "beta"
SHARE = 0.1
"""Of the records, how many are duplicates of others."""
_DIMENSION, _BINS = 384, 1 << 15
_DCT, _RDF_TYPE = "http://purl.org/dc/terms/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def run(records: int, work: Path) -> dict[str, Any]:
    """CPU seconds of a first run, of one with nothing new, and of one after one per cent of the records changed."""
    shutil.rmtree(work, ignore_errors=True)
    found: dict[str, Any] = {"records": records}
    truth = write(work, records)
    for name, changed in (("first", 0.0), ("unchanged", 0.0), ("one_per_cent", 0.01)):
        if changed:
            write(work, records, changed)
        # Each run in a process of its own, or the memory of the one before would speed the next up.
        code = f"from bench import linking; linking.once({str(work)!r}, {name!r}, {truth!r})"
        told = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        found |= json.loads(told.stdout)
    return found


def once(work: str, name: str, truth: int) -> None:
    """Links once and prints the figures; embedding is done before the clock starts."""
    import resource
    import time

    known, data = ontology.load(), Path(work)
    graphs = {source: data / "sources" / source / "graph.nq.gz" for source in (BASE, DISGUISED)}
    given = Given([one.text for one in mentions(graphs, known) if one.summary])
    begun, wall = time.process_time(), time.perf_counter()
    linked = Linker(data, {BASE: name, DISGUISED: name}, {}, known, given).run()
    figures: dict[str, Any] = {
        f"{name}_cpu_s": time.process_time() - begun,
        f"{name}_wall_s": time.perf_counter() - wall,
    }
    if name == "first":
        pairs = [pair for thing in linked.things for pair in thing.pairs if "/organisation/" not in pair[0]]
        right = sum(_number(left) == _number(right) for left, right in pairs)
        waiting = sum(
            _number(one.left) == _number(one.right)
            for one in linked.review
            if "/organisation/" not in one.left
        )
        figures |= {
            "mentions": linked.mentions,
            "pairs": linked.pairs,
            "joined_precision": right / max(len(pairs), 1),
            "joined_recall": right / truth,
            "recall_with_review": (right + waiting) / truth,
            "review": len(linked.review),
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures | {f"{name}_peak_mb": peak}))


class Given:
    """An embedder whose vectors were made before."""

    name, fingerprint, dimension = "given", "given", _DIMENSION

    def __init__(self, texts: Sequence[str]) -> None:
        self._planes = np.random.default_rng(1).standard_normal((_BINS, _DIMENSION)).astype(np.float32)
        self._counts = Counter(word for text in texts for word in set(text.lower().split()))
        self._texts = len(texts)
        self._made = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self._vectors = self._compute(list(self._made))

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimension)."""
        if all(text in self._made for text in texts):
            return self._vectors[[self._made[text] for text in texts]]
        return self._compute(texts)

    queries = passages

    def _compute(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(texts), _DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in set(text.lower().split()):
                rarity = math.log((self._texts + 1) / (self._counts[word] + 1))
                found[row] += rarity * self._planes[zlib.crc32(word.encode()) % _BINS]
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def write(work: Path, records: int, changed: float = 0.0) -> int:
    """Writes the graphs of both sources; a share `changed` has another title. Gives the number of duplicates."""
    known = ontology.load()
    duplicates = round(records * SHARE)
    draw = random.Random(generate.SEED)
    chosen = set(draw.sample(range(records - duplicates), duplicates))
    kinds = {kind: iri for iri, kind in known.resource_kinds.items()}
    lines: dict[str, set[bytes]] = {BASE: set(), DISGUISED: set()}
    every = round(1 / changed) if changed else 0
    for number, fields in enumerate(generate.records(records - duplicates)):
        if number in chosen:
            other = _disguised(fields, random.Random(number))
            lines[DISGUISED].update(_lines(other, number, DISGUISED, kinds, known))
        if every and number % every == 0:
            fields["title"] += " anew"
        lines[BASE].update(_lines(fields, number, BASE, kinds, known))
    for source, found in lines.items():
        quads.write(work / "sources" / source / "graph.nq.gz", sorted(found))
    return duplicates


def _disguised(fields: Fields, draw: random.Random) -> Fields:
    made = dict(fields)
    name, _, rest = made["title"].partition(": ")
    words = rest.split()
    slip = draw.randrange(max(len(words), 1))
    if words and len(words[slip]) > 5:
        words[slip] = words[slip][:3] + words[slip][4:]
    made["title"] = draw.choice(
        (
            f"{name.upper()}: {rest} (pilot)",
            f"{rest} – {name}",
            f"The {name} service: {rest}",
            f"{name}: {' '.join(words)}",
            f"{name.replace('a', 'á', 1)}, {rest.lower()}",
        )
    )
    sentences = made["description"].split(". ")
    draw.shuffle(sentences)
    made["description"] = ". ".join(sentences[: max(2, len(sentences) - 1)])
    if "url" in made:
        made["url"] = made["url"].replace("https://www.", "http://")
        if draw.random() < 0.3:
            del made["url"]
    if "lead" in made:
        made["lead"] = {**made["lead"], "name": made["lead"]["name"] + draw.choice(("", " GmbH", " (Ltd)"))}
    return made


def _lines(
    fields: Fields, number: int, source: str, kinds: dict[str, str], known: Ontology
) -> Iterator[bytes]:
    ns, graph = known.iri("ns#"), f"<{known.iri(f'graph/{source}')}> .\n"
    iri = known.iri(f"id/{fields['kind']}/{source}-{number}")

    def line(subject: str, predicate: str, value: str) -> bytes:
        return f"<{subject}> <{predicate}> {value} {graph}".encode()

    yield line(iri, _RDF_TYPE, f"<{kinds.get(fields['kind'], ns + 'GoodPractice')}>")
    yield line(iri, _DCT + "title", _text(fields["title"]))
    yield line(iri, _DCT + "description", _text(fields["description"]))
    if "title_native" in fields:
        yield line(iri, _DCT + "alternative", _text(fields["title_native"]))
    if "url" in fields:
        yield line(iri, "http://www.w3.org/ns/dcat#landingPage", f"<{fields['url']}>")
    countries = [c for code in fields.get("countries", ()) if (c := _country(known, code))]
    for country in countries:
        yield line(iri, _DCT + "spatial", f"<{country}>")
    bodies = [("lead", fields["lead"]["name"])] if "lead" in fields else []
    for role, name in [*bodies, *(("partner", partner) for partner in fields.get("partners", ()))]:
        body = known.iri(f"id/organisation/{source}-{zlib.crc32(name.encode()):08x}")
        yield line(iri, ns + role, f"<{body}>")
        yield line(body, _RDF_TYPE, f"<{ns}Organisation>")
        yield line(body, _DCT + "title", _text(name))
        if role == "lead" and len(countries) == 1:
            yield line(body, _DCT + "spatial", f"<{countries[0]}>")


def _country(known: Ontology, code: str) -> str | None:
    return known.concept("http://publications.europa.eu/resource/authority/country", code)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) + "@en"


def _number(iri: str) -> str:
    return iri.rsplit("-", 1)[1]
