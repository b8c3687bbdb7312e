"""From source graphs to derived statements, source by source; what has not changed costs a look at a key."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from dhu_graph import assets, quads
from dhu_graph.enrich import facts as facts_module
from dhu_graph.enrich import money, years
from dhu_graph.enrich.derived import Derivation
from dhu_graph.enrich.facts import TITLE, Facts
from dhu_graph.enrich.languages import Languages
from dhu_graph.enrich.regions import Regions
from dhu_graph.enrich.standards import Standards
from dhu_graph.enrich.themes import Themes
from dhu_graph.ontology import Ontology


class Rules:
    """All rules, made ready once for many resources."""

    def __init__(self, ontology: Ontology) -> None:
        self.regions, self.themes = Regions(ontology), Themes(ontology)
        self.languages, self.standards = Languages(ontology), Standards()
        self._kinds = set(ontology.resource_kinds)
        self._organisation = ontology.iri("ns#Organisation")

    def leads(self, all_facts: Iterable[Facts]) -> dict[str, str]:
        """IRI → name of the organisations whose name holds the name of a region."""
        return {
            facts.iri: text
            for facts in all_facts
            if self._organisation in facts.kinds
            for _, _, text in facts.texts(TITLE)
            if self.regions.within(text)
        }

    def derive(self, facts: Facts, leads: dict[str, str]) -> Iterator[Derivation]:
        """What the rules make of one subject."""
        yield from money.derive(facts)
        if facts.kinds & self._kinds:
            yield from self.regions.derive(facts, leads)
            yield from self.themes.derive(facts)
            yield from self.languages.derive(facts)
            yield from years.derive(facts)
            yield from self.standards.derive(facts)


class Enricher:
    """Derives statements from the source graphs of a data folder; keeps them in `derived/<source>.nq.gz`."""

    def __init__(self, data: Path, ontology: Ontology) -> None:
        self._data, self._ontology = data, ontology
        self._rules: Rules | None = None

    def run(self, digests: Mapping[str, str]) -> dict[str, Path]:
        """Source → the file of its derived statements; `digests` are those of the source graphs."""
        return {source: self._one(source, digest) for source, digest in sorted(digests.items())}

    def _one(self, source: str, digest: str) -> Path:
        folder = self._data / "derived"
        target, key_file = folder / f"{source}.nq.gz", folder / f"{source}.key"
        key = hashlib.sha256("\0".join((digest, self._ontology.fingerprint, code())).encode()).hexdigest()
        if target.is_file() and key_file.is_file() and key_file.read_text(encoding="utf-8") == key:
            return target
        key_file.unlink(missing_ok=True)  # a crash between the two files must not leave a key for other lines
        graph = self._data / "sources" / source / "graph.nq.gz"
        with quads.Sorter(self._data / "scratch") as lines:
            for found in self.derive(graph):
                lines.add(list(found.lines(self._ontology, source)))
            quads.write(target, lines.sorted())
        key_file.write_text(key, encoding="utf-8")
        return target

    def derive(self, graph: Path) -> Iterator[Derivation]:
        """What the rules make of a source graph, in its order."""
        if self._rules is None:
            self._rules = Rules(self._ontology)
        rules = self._rules
        leads = rules.leads(facts_module.read(graph, self._ontology))
        for facts in facts_module.read(graph, self._ontology):
            yield from rules.derive(facts, leads)


@cache
def code() -> str:
    """Changes with the rules, their tables and the language identifier."""
    parts = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    parts += [path.read_bytes() for path in sorted(assets.folder("enrich").glob("*.tsv"))]
    return hashlib.sha256(b"\0".join([*parts, version("py3langid").encode()])).hexdigest()
