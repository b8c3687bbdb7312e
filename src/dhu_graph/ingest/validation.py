"""SHACL over a batch: which records break which shape, in the words of the shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyoxigraph as ox
import pyrudof

from dhu_graph.errors import BadInput
from dhu_graph.ontology import RDF_TYPE, SH, SKOS, Ontology

_SEES_ALL = {SH + name for name in ("closed", "sparql", "qualifiedValueShape", "node")}
_NAMES_PREDICATE = {
    SH + name
    for name in (
        "path",
        "lessThan",
        "lessThanOrEquals",
        "equals",
        "disjoint",
        "targetSubjectsOf",
        "targetObjectsOf",
    )
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken shape: its name, how bad it is, the node, the value, and the message of the shape."""

    shape: str
    severity: str
    node: str
    path: str
    value: str
    message: str

    def __str__(self) -> str:
        value = f", value {self.value[:120]}" if self.value else ""
        return f"{self.message} [{self.shape}: {self.node} {self.path}{value}]"


class Validator:
    """`shapes.ttl`, ready to be run on batches of N-Triples lines."""

    def __init__(self, ontology: Ontology) -> None:
        self._messages = ontology.messages
        self._concepts = {f"<{iri}>" for concepts in ontology.schemes.values() for iri in concepts}
        self._base = ontology.base
        self._looked_at = looked_at(ontology.shapes)
        self._rudof = pyrudof.Rudof(pyrudof.RudofConfig())
        try:
            self._rudof.read_shacl(ontology.shapes)
        except pyrudof.RudofError as error:
            raise BadInput(f"shapes.ttl cannot be used: {error}.", "Mend ontology/shapes.ttl.") from None

    def run(self, batch: Sequence[set[str]]) -> list[list[Finding]]:
        """For each record (its set of lines) the findings that concern its nodes, the worst first."""
        found: list[dict[Finding, None]] = [{} for _ in batch]
        if not any(batch):
            return [[] for _ in batch]
        self._rudof.reset_data()
        every = [line for lines in batch for line in lines]
        if self._looked_at is not None:
            # What no shape looks at need not be read: about a third of the lines.
            every = [line for line in every if line.split(" ", 2)[1] in self._looked_at]
        # Of the thousands of concepts only those that the batch names are told to be concepts.
        named = {line.rsplit(" ", 2)[1] for line in every} & self._concepts
        data = "\n".join([*every, *(f"{iri} <{RDF_TYPE}> <{SKOS}Concept> ." for iri in sorted(named))]) + "\n"
        self._rudof.read_data(data, pyrudof.RDFFormat.NTriples)
        report = self._rudof.validate_shacl()
        if report.conforms and not len(report):
            return [[] for _ in batch]
        owners: dict[str, list[int]] = {}
        for number, lines in enumerate(batch):
            for node in {line[1 : line.index(">")] for line in lines}:
                owners.setdefault(node, []).append(number)
        for entry in report.violations:
            finding = self._finding(entry)
            for number in owners.get(str(entry.focus_node), []):
                if finding.severity != "Info":
                    found[number][finding] = None
        return [
            sorted(each, key=lambda f: (f.severity != "Violation", f.shape, f.node, f.value))
            for each in found
        ]

    def _finding(self, entry: "pyrudof.ShaclValidationEntry") -> Finding:
        shape = str(entry.source_shape)
        message, severity = self._messages.get(shape, (str(entry.message), str(entry.severity)))
        value = "" if entry.value is None else str(entry.value)
        short = shape.removeprefix(self._base + "shapes#")
        return Finding(short, severity, str(entry.focus_node), str(entry.path), value, message)


def looked_at(shapes: str) -> set[str] | None:
    """The predicates (in N-Triples) that shapes look at, or None where that cannot be told from the outside.

    It cannot where a path is more than one predicate, or a constraint sees all statements of a node (`sh:closed`,
    `sh:sparql`).
    """
    store = ox.Store()
    store.load(shapes.encode(), ox.RdfFormat.TURTLE)
    if any(q.predicate.value in _SEES_ALL for q in store):
        return None
    named = [q.object for q in store if q.predicate.value in _NAMES_PREDICATE]
    if not all(isinstance(term, ox.NamedNode) for term in named):
        return None
    return {f"<{RDF_TYPE}>", *map(str, named)}
