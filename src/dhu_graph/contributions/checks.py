"""From a file to rows that may go on and faults that name their cell: values, then the map, then the shapes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dhu_graph import sources
from dhu_graph.contributions.columns import Column, column, columns
from dhu_graph.contributions.identity import Contribution
from dhu_graph.contributions.sheet import Line, Sheet, read
from dhu_graph.contributions.template import header
from dhu_graph.contributions.values import Values, quoted
from dhu_graph.ingest import Finding, Outcome, examine
from dhu_graph.ontology import Ontology

SOURCE = "contributions"
_PARTS = {"organisation": "lead", "citation": "sources", "partner": "partners"}
"""Kinds of nodes that go by another name than their group of columns."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which cell. `cell` is `F7`-exact; `column` the machine key, `label` what stands over it."""

    where: str
    row: int
    cell: str
    column: str
    label: str
    message: str

    def __str__(self) -> str:
        parts = [self.where, self.cell]
        label = f" ({self.label})" if self.label else ""
        return f"{', '.join(part for part in parts if part)}{label}: {self.message}"


@dataclass(slots=True)
class Row:
    """One row: what it says, what is wrong with it, and what is only noted."""

    number: int
    cells: dict[str, str]
    fields: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class Checked:
    """A file after its checks. `faults` are those of the file as a whole; the rows have their own."""

    name: str
    rows: list[Row]
    faults: list[Fault]

    @property
    def good(self) -> list[Row]:
        """The rows that may go on."""
        return [row for row in self.rows if not row.faults]

    @property
    def all_faults(self) -> list[Fault]:
        """Every fault, those of the file first, then by row."""
        return [*self.faults, *(fault for row in self.rows for fault in row.faults)]


def check(
    path: Path, name: str, organisation: str, ontology: Ontology, *, largest: int, most_rows: int
) -> Checked:
    """Checks a filled-in template. Raises BadInput where the file as a whole cannot be used."""
    sheet = read(path, name, largest=largest, most_rows=most_rows)
    reader = _Reader(sheet, ontology)
    rows = [reader.row(line) for line in sheet.lines]
    _doubles(rows, reader)
    told = [row for row in rows if {"kind", "language", "title"} <= row.fields.keys()]
    records = [
        Contribution.of(row.fields, organisation, "2026-01-01T00:00:00Z").record(f"row-{row.number}")
        for row in told
    ]
    for row, (outcome, findings) in zip(told, examine(sources.load(SOURCE), records, ontology), strict=True):
        reader.shapes(row, outcome, findings)
    for row in rows:
        row.faults.sort(key=reader.place)
        row.notes.sort(key=reader.place)
    return Checked(name, rows, reader.faults)


class _Reader:
    """Reads the rows of one sheet."""

    def __init__(self, sheet: Sheet, ontology: Ontology) -> None:
        self._sheet, self._ontology = sheet, ontology
        self._values = Values(ontology, sheet.language)
        self._columns = {key: found for key in sheet.header if (found := column(ontology, key))}
        strange = [key for key in sheet.header if key and key != "#" and key not in self._columns]
        message = "There is no such column in the template, so nothing in it is taken."
        self.faults = [
            Fault(sheet.where, 1, sheet.cell(key, 1), key[:80], "", f"{quoted(key)}: {message}")
            for key in strange
        ]

    def row(self, line: Line) -> Row:
        """What the cells of a row say, with a fault for each that says nothing that can be taken."""
        row = Row(line.number, line.cells)
        if line.reason:
            row.faults.append(self.fault(row, "", line.reason))
            return row
        for key, each in self._columns.items():
            values, problems = self._values.read(each, line.cells.get(key, ""))
            row.faults += [self.fault(row, key, str(problem)) for problem in problems]
            if values:
                self._put(row.fields, each, values)
        self._missing(row)
        for group in ("need", "barrier", "evidence", "funding"):
            if numbered := row.fields.get(group):
                row.fields[group] = [numbered[number] for number in sorted(numbered)]
        return row

    def shapes(self, row: Row, outcome: Outcome, findings: list[Finding]) -> None:
        """Leads what the shapes found back to the cells. A cell that has a fault already is not told twice."""
        known = {fault.column for fault in row.faults}
        for finding in findings:
            key = self._key(row, finding)
            if key in known and key:
                continue
            fault = self.fault(row, key, finding.message)
            (row.faults if finding.severity == "Violation" else row.notes).append(fault)
        said = {str(finding) for finding in findings}
        row.faults += [self.fault(row, "", told) for told in outcome.violations if told not in said]
        row.notes += [self.fault(row, "", told) for told in outcome.warnings if told not in said]

    def fault(self, row: Row, key: str, message: str) -> Fault:
        """A fault of a cell of a row, or of the whole row where there is no such column."""
        each = self._columns.get(key)
        label = header(self._ontology, each, self._sheet.language).removesuffix(" *") if each else ""
        return Fault(self._sheet.where, row.number, self._sheet.cell(key, row.number), key, label, message)

    def place(self, fault: Fault) -> int:
        """Faults are told from left to right, those of the whole row first."""
        return self._sheet.header.index(fault.column) if fault.column in self._columns else -1

    def _put(self, fields: dict[str, Any], each: Column, values: list[str]) -> None:
        value: Any = values if each.several else values[0]
        if not each.group:
            fields["own_id" if each.field == "id" else each.field] = value
        elif each.number:
            fields.setdefault(each.group, {}).setdefault(each.number, {})[each.field] = value
        else:
            fields.setdefault(each.group, {})[each.field] = value

    def _missing(self, row: Row) -> None:
        """Cells that must be filled in: always, or because others of their group are."""
        begun = {self._columns[key].place for key in row.cells if key in self._columns}
        for place in sorted(begun | {""}):
            group, _, number = place.partition("-")
            for each in self._needed(group):
                key = f"{place}.{each.field}" if place else each.field
                if key not in row.cells:
                    label = header(self._ontology, each).removesuffix(" *")
                    label = label.replace(" 1:", f" {number}:") if number else label
                    row.faults.append(self.fault(row, key, f"{label} is missing."))

    def _needed(self, group: str) -> list[Column]:
        """The columns of a group (the first of its kind) that must be filled in."""
        return [c for c in columns(self._ontology) if c.required and c.group == group and c.number in (0, 1)]

    def _key(self, row: Row, finding: Finding) -> str:
        """The key of the column that a finding is about: by the part of the node, the property, and the value."""
        part, path = _part(finding.node), finding.path.strip("<>")
        if part in ("sources", "partners"):
            return part if part in self._columns else ""
        fitting = [key for key, each in self._columns.items() if each.path == path and each.group == part]
        fitting = fitting or [key for key, each in self._columns.items() if each.via == path and not part]
        filled = [key for key in fitting if key in row.cells]
        same = [key for key in filled if " ".join(row.cells[key].split()) in finding.value]
        return next(iter((*same, *filled, *fitting)), "")


def _part(node: str) -> str:
    """The group of columns that a node stands for, by its IRI: `…/id/need/x` and `…/id/practice/x#evidence-0a`."""
    kind = (
        node.rpartition("#")[2].rpartition("-")[0]
        if "#" in node
        else node.rpartition("/")[0].rpartition("/")[2]
    )
    # A resource may be of the kind `funding`; the part of that name has a fragment.
    return _PARTS.get(kind, kind if "#" in node or kind in ("need", "barrier") else "")


def _doubles(rows: list[Row], reader: _Reader) -> None:
    """The same own identifier, or the same title without one, twice in a file: the second is refused."""
    seen: dict[object, int] = {}
    for row in rows:
        own, title = row.fields.get("own_id"), row.fields.get("title")
        if not (own or title):
            continue
        name: object = (
            ("id", own.casefold()) if own else ("title", row.fields.get("kind"), str(title).casefold())
        )
        if (first := seen.setdefault(name, row.number)) != row.number:
            key = "id" if own else "title"
            row.faults.append(
                reader.fault(row, key, f"This is the same as in row {first}; one row is one item.")
            )
