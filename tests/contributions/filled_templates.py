"""Filled-in templates for tests: the template as it is made, with rows of one's own written below it."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import xlsxwriter

from dhu_graph.contributions import template
from dhu_graph.contributions.columns import column
from dhu_graph.contributions.values import Values, safe
from dhu_graph.ontology import Ontology

FIRST = 5
"""The row below the example."""

PRACTICE = {
    "kind": "practice",
    "language": "de",
    "title": "Herzfunk Nordtal",
    "description": "Menschen mit Herzschwäche senden jeden Morgen ihr Gewicht an die Klinik.",
    "countries": "AUT",
    "themes": "telemonitoring",
    "start_year": "2019",
}
"""A row that is in order, with concepts by their codes."""


def in_words(ontology: Ontology, language: str, row: Mapping[str, str]) -> dict[str, str]:
    """A row as a contributor of that language fills it in: labels in place of codes."""
    values, found = Values(ontology, language), {}
    for key, text in row.items():
        each = column(ontology, key)
        assert each is not None, key
        parts = text.split(" | ") if each.several else [text]
        found[key] = " | ".join(values.cell(each, part) for part in parts)
    return found


def to_xlsx(ontology: Ontology, path: Path, *rows: Mapping[str, str], language: str = "en") -> Path:
    """A workbook with the head of the template and these rows below it."""
    head = template.rows(ontology, language)
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet(template.words(language)["sheet"])
        for number, cells in enumerate(head):
            for place, cell in enumerate(cells):
                page.write_string(number, place, cell)
        for number, row in enumerate(rows, len(head)):
            for key, cell in row.items():
                page.write_string(number, head[0].index(key), cell)
    return path


def to_csv(
    ontology: Ontology, path: Path, *rows: Mapping[str, str], language: str = "en", delimiter: str = ","
) -> Path:
    """The same as CSV, as a spreadsheet of the country writes it."""
    head = template.rows(ontology, language)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows([safe(cell) for cell in cells] for cells in head)
    writer.writerows([safe(row.get(key, "")) for key in head[0]] for row in rows)
    path.write_bytes(out.getvalue().encode("utf-8-sig"))
    return path
