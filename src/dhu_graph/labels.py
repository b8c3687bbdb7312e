"""Labels in the EU languages: the review sheet of a language, out and in again.

`ontology/labels/de.mt.ttl` holds machine translations (graph `graph/machine-labels`), `de.ttl` what a person has
reviewed or an official table gives (graph `graph/vocab`). A term has its label in one of the two.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from dhu_graph import assets
from dhu_graph.errors import BadInput, UsageError
from dhu_graph.ontology import DCT, EU_LANGUAGES, RDFS, SKOS, Ontology

COLUMNS = ("id", "english", "meaning", "label", "synonyms", "status", "reviewed", "language")
"""Of a review sheet. A reviewer changes `label` and `synonyms` (separated by `|`) and writes yes under `reviewed`."""
_YES = {"yes", "y", "x", "1", "true", "ja", "oui", "sí", "si", "tak", "ναι"}
_MARKS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Label:
    """One line of a review sheet: a term of ours with its label in a language."""

    id: str
    english: str
    meaning: str
    label: str
    synonyms: tuple[str, ...]
    status: str
    """`machine`, `reviewed`, or empty where there is no label yet."""

    def cells(self, language: str) -> tuple[str, ...]:
        """The line in the order of COLUMNS."""
        synonyms = "|".join(self.synonyms)
        return self.id, self.english, self.meaning, self.label, synonyms, self.status, "", language


def sheet(ontology: Ontology, language: str) -> list[Label]:
    """All terms and concepts of ours with their labels in a language, in the order of their ids."""
    _known(language)
    found, synonyms = _texts(ontology, language), _synonyms(ontology, language)
    rows = []
    for iri, (english, _) in sorted(_texts(ontology, "en").items()):
        label, machine = found.get(iri, ("", False))
        status = "" if not label else "machine" if machine else "reviewed"
        others = tuple(sorted(synonyms.get(iri, ())))
        rows.append(
            Label(iri.removeprefix(ontology.base), english, ontology.comment(iri), label, others, status)
        )
    return rows


def to_csv(rows: Iterable[Label], language: str) -> str:
    """The sheet as CSV. A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = row.cells(language)
        writer.writerow([f"'{cell}" if cell.startswith(_MARKS) else cell for cell in cells])
    return out.getvalue()


def to_xlsx(rows: list[Label], language: str, path: Path) -> None:
    """The sheet as a workbook with frozen headings, a list for `reviewed`, and machine labels in colour."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet(f"labels {language}")
        head = book.add_format({"bold": True, "bg_color": "#003399", "font_color": "#FFFFFF"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        machine = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#FFF2CC"})
        for column, (name, width) in enumerate(zip(COLUMNS, (34, 28, 50, 34, 40, 11, 11, 10), strict=True)):
            page.set_column(column, column, width)
            page.write_string(0, column, name, head)
        for number, row in enumerate(rows, 1):
            cells = row.cells(language)
            for column, cell in enumerate(cells):
                page.write_string(
                    number, column, cell, machine if row.status == "machine" and column == 3 else wrap
                )
        page.freeze_panes(1, 2)
        page.autofilter(0, 0, len(rows), len(COLUMNS) - 1)
        page.data_validation(1, 6, max(1, len(rows)), 6, {"validate": "list", "source": ["yes", "no"]})


def read(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """(where, cells) of each line of a sheet in CSV or XLSX. Raises BadInput where it is no such sheet."""
    from dhu_graph.sources import File, Input, Unreadable, records

    format = path.suffix.lower().removeprefix(".")
    if format not in ("csv", "xlsx"):
        raise UsageError(
            f"{path.name} is neither .csv nor .xlsx.", "Give the sheet that `dhu vocab export` wrote."
        )
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", "Check the path.")
    delimiter = ","
    if format == "csv":  # Excel writes semicolons where the comma is for decimals
        with path.open(encoding="utf-8-sig", errors="replace") as stream:
            head = stream.readline(2000)
        delimiter = max(",;\t", key=head.count)
    item = Input.model_validate({"file": path.name, "format": format, "id": "id", "delimiter": delimiter})
    for entry in records(File(item, path.name, path)):
        if isinstance(entry, Unreadable):
            raise BadInput(
                f"{entry.where}: {entry.reason}", "Mend the line; the columns are " + ", ".join(COLUMNS) + "."
            )
        yield entry.where, {key: str(value) for key, value in entry.fields.items()}


def reviewed(ontology: Ontology, language: str, lines: Iterable[tuple[str, dict[str, str]]]) -> list[Label]:
    """The sheet of a language after a review: what was marked or changed counts as reviewed.

    Raises BadInput naming every line that cannot stand: an unknown id, no label, the label of another concept.
    """
    rows = {row.id: row for row in sheet(ontology, language)}
    wrong: list[str] = []
    for where, cells in lines:
        before = rows.get(cells.get("id", ""))
        if before is None:
            wrong.append(f"{where}: there is no term {cells.get('id', '')!r}")
            continue
        if (written := cells.get("language", "").strip()) and written != language:
            raise BadInput(
                f"{where}: this is the sheet of {written!r}, not of {language!r}.",
                f"Import it with --language {written}.",
            )
        label = _cell(cells.get("label", ""))
        synonyms = tuple(sorted({s for part in cells.get("synonyms", "").split("|") if (s := _cell(part))}))
        changed = (label, synonyms) != (before.label, before.synonyms)
        marked = cells.get("reviewed", "").strip().casefold() in _YES
        if not label and (marked or before.label):
            wrong.append(f"{where}: {before.id} would have no label")
        elif len(label) > 200 or any(len(s) > 200 for s in synonyms):
            wrong.append(f"{where}: {before.id} has a label of more than 200 characters")
        elif changed or (marked and before.status == "machine"):
            rows[before.id] = Label(before.id, before.english, before.meaning, label, synonyms, "reviewed")
    wrong += _doubles(rows.values())
    if wrong:
        raise BadInput(
            f"{len(wrong)} lines cannot be taken: {'; '.join(wrong[:20])}.", "Mend them and import again."
        )
    return list(rows.values())


def write(rows: list[Label], language: str, folder: Path | None = None) -> list[Path]:
    """Writes `LANGUAGE.ttl` and `LANGUAGE.mt.ttl` anew; returns their paths. Raises UsageError where that is not allowed."""
    target = folder or assets.folder("ontology") / "labels"
    paths = []
    for name, status, about in (
        (
            f"{language}.ttl",
            "reviewed",
            "Labels that a person has reviewed, or that an official table gives.",
        ),
        (f"{language}.mt.ttl", "machine", "Machine translations, not yet reviewed by a person."),
    ):
        chosen = [row for row in rows if row.status == status and row.label]
        path = target / name
        try:
            target.mkdir(parents=True, exist_ok=True)
            if chosen:
                path.write_text(_turtle(chosen, language, about), encoding="utf-8")
                paths.append(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror}.", "Import into a checkout of the project."
            ) from None
    return paths


def _turtle(rows: list[Label], language: str, about: str) -> str:
    lines = [
        f"# {about}",
        "# Made by `dhu vocab import`; change it through the review sheet: `dhu vocab export "
        + language
        + "`.",
        "@base <https://w3id.org/dhu/> .",
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .",
        "@prefix skos: <http://www.w3.org/2004/02/skos/core#> .",
        "@prefix dct: <http://purl.org/dc/terms/> .",
        "",
    ]
    for row in sorted(rows, key=lambda row: row.id):
        lines.append(
            f"<{row.id}> {_predicate(row.id)} {_literal(row.label, language)}"
            + (" ;" if row.synonyms else " .")
        )
        if row.synonyms:
            lines.append(
                "    skos:altLabel " + " , ".join(_literal(s, language) for s in row.synonyms) + " ."
            )
    return "\n".join(lines) + "\n"


def _predicate(id: str) -> str:
    if id.startswith("vocab/"):
        return "skos:prefLabel" if id.count("/") > 1 or "#" in id else "dct:title"
    return "rdfs:label"


def _literal(text: str, language: str) -> str:
    return str(ox.Literal(text, language=language))


def _cell(text: str) -> str:
    clean = re.sub(r"\s+", " ", text).strip()
    return clean[1:].strip() if clean.startswith("'") and clean[1:].startswith(_MARKS) else clean


def _doubles(rows: Iterable[Label]) -> list[str]:
    """Concepts of one vocabulary with the same label."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for row in rows:
        scheme, slash, code = row.id.rpartition("/")
        if row.id.startswith("vocab/") and scheme != "vocab" and slash and row.label:
            other = seen.setdefault((scheme, row.label.casefold()), code)
            if other != code:
                found.append(f"{row.id}: {row.label!r} is the label of {other} already")
    return found


def _known(language: str) -> None:
    if language not in EU_LANGUAGES or language == "en":
        raise UsageError(
            f"There is no review sheet for {language!r}.",
            f"Add --language, one of {', '.join(EU_LANGUAGES[1:])}, or end the name of the file in it (labels-de.csv).",
        )


def _texts(ontology: Ontology, language: str) -> dict[str, tuple[str, bool]]:
    """IRI of each term of ours, and of others that we use → its label in a language, and whether that is machine-made."""
    ours = (ontology.iri("ns#"), ontology.iri("vocab/"))
    return {
        iri: (text.value, machine)
        for predicate in (RDFS + "label", SKOS + "prefLabel", DCT + "title")
        for iri, text, machine in ontology.literals(predicate)
        # Terms of others have an rdfs:label from us; countries and regions have their own, and are official.
        if text.language == language
        and (iri.startswith(ours) or (predicate == RDFS + "label" and not iri.startswith(ontology.base)))
    }


def _synonyms(ontology: Ontology, language: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for iri, text, _ in ontology.literals(SKOS + "altLabel"):
        if text.language == language:
            found.setdefault(iri, set()).add(text.value)
    return found
