"""The template that a contributor fills in, made from the columns in any EU language, as a workbook or as CSV.

Both begin with a row of machine keys (hidden in the workbook), which is what is read back; the rows below it say in the
first column what they are: `label de` (with the language), `help`, `example`. What has nothing there is a contribution.
"""

import csv
import io
import tomllib
from datetime import datetime
from functools import cache

from dhu_graph import assets
from dhu_graph.contributions.columns import Column, columns
from dhu_graph.contributions.values import Values, safe
from dhu_graph.errors import UsageError
from dhu_graph.ontology import EU_LANGUAGES, Ontology

MARK = "#"
"""Key of the first column, which says what a row is."""
FORMATS = ("xlsx", "csv")
_EPOCH = datetime(2026, 1, 1)
_ROWS = 2_000
"""Rows of the workbook that offer choices."""
_EXAMPLE = {
    "id": "EX-1",
    "kind": "practice",
    "countries": "GRC",
    "regions": "EL30",
    "scope": "regional",
    "themes": "telemonitoring",
    "technologies": "mobile-app",
    "target_groups": "patients",
    "care_settings": "home",
    "maturity": "pilot",
    "start_year": "2021",
    "as_of": "2024",
    "lead.kind": "hospital",
    "lead.page": "https://example.org/clinic",
    "need-1.side": "demand",
    "barrier-1.side": "supply",
    "page": "https://example.org/practice",
    "contact": "https://example.org/contact",
    "sources": "https://example.org/report",
}
"""Values of the example row, concepts by their codes; those that a vocabulary does not have are left out."""


def made(ontology: Ontology, language: str = "en", format: str = "xlsx") -> bytes:
    """The template in a language. Raises UsageError for a language or format that there is not."""
    if language not in EU_LANGUAGES:
        raise UsageError(
            f"There is no template in the language {language[:40]!r}.",
            f"Languages: {', '.join(EU_LANGUAGES)}.",
        )
    if format == "csv":
        return _csv(ontology, language)
    if format == "xlsx":
        return _xlsx(ontology, language)
    raise UsageError(f"There is no template in the format {format[:40]!r}.", "Use xlsx or csv.")


def words(language: str) -> dict[str, str]:
    """The words of the template that are no label of the ontology."""
    return {**_all_words()["en"], **_all_words().get(language, {})}


def is_example(title: str) -> bool:
    """Whether a title is that of the example row, in any language."""
    return title.strip() in {each["title"] for each in _all_words().values()}


def header(ontology: Ontology, column: Column, language: str = "en") -> str:
    """What stands over a column: `Bedarf 2: Seite`, with a star where it must be filled in."""
    own = {"countries": words(language)["country"], "regions": words(language)["region"]}
    label = own.get(column.key) or ontology.label(column.path, language)
    if column.group:
        number = f" {column.number}" if column.number else ""
        label = f"{ontology.label(column.via, language)}{number}: {label}"
    label = label[:1].upper() + label[1:]
    return f"{label} *" if column.required and not column.group else label


def help(ontology: Ontology, column: Column, language: str = "en") -> str:
    """What belongs in a column: the comment of the property (English where there is no other), and its limits."""
    said = words(language)
    parts = [ontology.comment(column.via) if column.via else "", ontology.comment(column.path)]
    if column.longest:
        parts.append(f"({column.shortest}–{column.longest})")
    if column.required:
        parts.append(f"({said['required']})")
    if column.several:
        parts.append(f"({said['several']})")
    return " ".join(part for part in parts if part)


def rows(ontology: Ontology, language: str) -> list[list[str]]:
    """The four rows at the head of the template: keys, labels, help and example."""
    chosen, values = columns(ontology), Values(ontology, language)
    return [
        [MARK, *(column.key for column in chosen)],
        [f"label {language}", *(header(ontology, column, language) for column in chosen)],
        ["help", *(help(ontology, column, language) for column in chosen)],
        ["example", *(_example(values, column, language) for column in chosen)],
    ]


def _example(values: Values, column: Column, language: str) -> str:
    if column.key == "language":
        return values.cell(column, language)
    if column.key in ("title", "description"):
        return words(language)[column.key]
    code = _EXAMPLE.get(column.key, "")
    shown = values.cell(column, code) if code else ""
    return "" if values.read(column, shown)[1] else shown


def _csv(ontology: Ontology, language: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows(ontology, language):
        writer.writerow([safe(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def _xlsx(ontology: Ontology, language: str) -> bytes:
    import xlsxwriter

    out, said = io.BytesIO(), words(language)
    # Neither formulas nor links are made from texts, and the same template always has the same bytes.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": said["sheet"], "created": _EPOCH})
        page, lists = book.add_worksheet(said["sheet"]), book.add_worksheet(said["lists"])
        style = {"text_wrap": True, "valign": "top"}
        head = book.add_format({**style, "bold": True, "bg_color": "#003399", "font_color": "#FFFFFF"})
        needed = book.add_format({**style, "bold": True, "bg_color": "#7A1F3D", "font_color": "#FFFFFF"})
        small = book.add_format({**style, "italic": True, "font_size": 9, "bg_color": "#EEF2FA"})
        grey = book.add_format({**style, "font_color": "#808080"})
        wrap = book.add_format(style)
        values, chosen = Values(ontology, language), columns(ontology)
        for number, row in enumerate(rows(ontology, language)):
            for place, cell in enumerate(row):
                marked = place > 0 and chosen[place - 1].required and not chosen[place - 1].group
                form = (None, needed if marked else head, small, grey)[number]
                page.write_string(number, place, cell, form)
        page.write_comment(1, 1, f"{said['howto']} CC BY 4.0: https://creativecommons.org/licenses/by/4.0/")
        ranges: dict[tuple[str, ...], str] = {}
        for place, column in enumerate(chosen, 1):
            page.set_column(
                place, place, 40 if column.field in ("title", "description", "text") else 22, wrap
            )
            found = tuple(values.options(column))
            if found and found not in ranges:
                ranges[found] = _listed(
                    lists, len(ranges), header(ontology, column, language), found, head, said
                )
            page.data_validation(
                3, place, _ROWS, place, _validation(ontology, column, language, ranges.get(found))
            )
        page.set_column(0, 0, None, None, {"hidden": True})
        page.set_row(0, None, None, {"hidden": True})
        page.set_row(1, 48)
        page.set_row(2, 96)
        page.freeze_panes(3, 0)
        lists.freeze_panes(1, 0)
    return out.getvalue()


def _listed(lists, place: int, title: str, found: tuple[str, ...], head, said: dict[str, str]) -> str:  # type: ignore[no-untyped-def]
    """Writes the choices of a column into the sheet of lists and returns where they stand."""
    from xlsxwriter.utility import xl_col_to_name

    lists.set_column(place, place, 34)
    lists.write_string(0, place, title.removesuffix(" *"), head)
    for number, option in enumerate(found, 1):
        lists.write_string(number, place, option)
    letter = xl_col_to_name(place)
    return f"='{said['lists']}'!${letter}$2:${letter}${len(found) + 1}"


def _validation(ontology: Ontology, column: Column, language: str, choices: str | None) -> dict[str, object]:
    """What the spreadsheet itself checks; it warns where several values may stand in a cell, and stops elsewhere."""
    told = {
        "input_title": header(ontology, column, language)[:32],
        "input_message": help(ontology, column, language)[:255] or " ",
        "ignore_blank": True,
    }
    if choices:
        lenient = column.several or column.form in ("known", "region", "currency")
        return {
            **told,
            "validate": "list",
            "source": choices,
            "error_type": "information" if lenient else "stop",
        }
    if column.form == "year":
        return {**told, "validate": "integer", "criteria": "between", "minimum": 1900, "maximum": 2099}
    if column.form == "text" and column.longest:
        return {
            **told,
            "validate": "length",
            "criteria": "between",
            "minimum": column.shortest,
            "maximum": min(column.longest, 32_000),
            "error_type": "warning",
        }
    return {**told, "validate": "any"}


@cache
def _all_words() -> dict[str, dict[str, str]]:
    text = (assets.folder("ingest") / "contributions" / "words.toml").read_text(encoding="utf-8")
    return {name: value for name, value in tomllib.loads(text).items() if isinstance(value, dict)}
