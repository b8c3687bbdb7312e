"""Global goods, digital public goods and publiccode.yml on the real files: what lands, what does not, and what never may."""

import io
import json
import re
import threading
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml

from dhu_graph import Engine, ingest, sources
from dhu_graph.ingest import Report
from dhu_graph.ontology import OP_COUNTRY, RDFS, Ontology
from small_sources import loaded

FOLDERS = {"globalgoods": "globalgoods", "dpg": "dpg", "publiccode": "publiccode-health"}
LINKS = ("commcare-android", "commcare-cloud", "mifos-android", "mifos-mobile", "mifos-web-app")
DCT = "http://purl.org/dc/terms/"
DHU = "https://w3id.org/dhu/ns#"
E_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE)


@pytest.fixture(scope="module")
def goods(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Engine]:
    """A radar of the three sources from the real files, without embeddings. Only to be read."""
    with Engine.open(data=tmp_path_factory.mktemp("goods"), embed=False, link=False) as engine:
        for name, folder in FOLDERS.items():
            engine.ingest(name, str(shared / "data" / folder))
        yield engine


@pytest.fixture(scope="module")
def graph(goods: Engine) -> ox.Store:
    return loaded(goods)


@pytest.fixture(scope="module")
def records(shared: Path) -> dict[str, dict[str, Any]]:
    """The native records that must land, by `source id`, as this test reads them without the project's readers."""
    data = shared / "data"
    found: dict[str, dict[str, Any]] = {}
    for path in (data / "globalgoods/global-goods/individual").glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        found[f"globalgoods {record['ID']}"] = record
    for path in (data / "dpg/nominees").glob("*.json"):
        nominee = json.loads(path.read_text(encoding="utf-8"))
        other = data / "dpg/digitalpublicgoods" / path.name
        if "Health" in nominee.get("sectors", []):
            readable = other.is_file() and path.stem not in LINKS
            listing = json.loads(other.read_text(encoding="utf-8")) if readable else {}
            found[f"dpg {path.stem}"] = {"nominee": nominee, "listing": listing}
    for path in (data / "publiccode-health").glob("*.yml"):
        try:
            record = yaml.safe_load(path.read_text(encoding="utf-8"))
        except yaml.YAMLError:
            continue
        found[f"publiccode {record['url']}"] = record
    return found


def report_of(goods: Engine, name: str) -> Report:
    report = next(report for source, report in goods.sources() if source.name == name)
    assert report is not None
    return report


def quarantine(goods: Engine, name: str) -> list[dict[str, Any]]:
    path = goods.settings.data / "sources" / name / "quarantine.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def by_record(goods: Engine, pattern: str) -> dict[str, set[str]]:
    """`source id` → what the pattern binds to ?v for the described resource ?s of that record."""
    rows = goods.query(
        "SELECT ?source ?id ?v { ?s dct:description ?d ; dct:title ?t ; prov:wasDerivedFrom ?r ."
        f" ?r dct:identifier ?id ; dct:isPartOf ?source . {pattern} }}"
    )
    assert isinstance(rows, list)
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[f"{row['source'].rsplit('/', 1)[-1]} {row['id']}"].add(str(row["v"]))
    return found


# ------------------------------------------------------------------------------------------------ what lands


@pytest.mark.parametrize(
    ("name", "read", "in_scope", "landed", "quarantined"),
    [("globalgoods", 48, 48, 48, 0), ("dpg", 235, 55, 50, 5), ("publiccode", 7, 7, 6, 1)],
)
def test_the_real_files_land_and_every_field_is_mapped_or_ignored(
    goods: Engine, name: str, read: int, in_scope: int, landed: int, quarantined: int
) -> None:
    report = report_of(goods, name)
    assert (report.read, report.in_scope, report.landed) == (read, in_scope, landed)
    assert (report.quarantined, report.unmapped) == (quarantined, {})


def test_every_real_record_is_in_the_graph_under_its_own_id(
    goods: Engine, records: dict[str, dict[str, Any]]
) -> None:
    assert len(records) == 48 + 50 + 6
    assert set(by_record(goods, "BIND(?s AS ?v)")) == set(records)


def test_no_function_of_the_maps_meets_a_value_it_cannot_use(
    goods: Engine, records: dict[str, dict[str, Any]]
) -> None:
    """All notes are those of the shapes: no theme, no lead."""
    themes, leads = by_record(goods, "?s dcat:theme ?v"), by_record(goods, "?s dhu:lead ?v")
    for name in FOLDERS:
        keys = [key for key in records if key.startswith(name + " ")]
        without = sum(key not in themes for key in keys) + sum(key not in leads for key in keys)
        assert report_of(goods, name).warnings == without > 0, name


def test_the_halves_that_are_links_are_in_quarantine_and_their_other_halves_in_the_graph(
    goods: Engine,
) -> None:
    refused = {Path(entry["where"]).stem: entry for entry in quarantine(goods, "dpg")}
    assert set(refused) == set(LINKS)
    for entry in refused.values():
        assert entry["where"].startswith("digitalpublicgoods/")
        assert "not valid JSON" in entry["reasons"][0] and entry["native"].endswith(".json")
    titles = by_record(goods, "BIND(?t AS ?v)")
    assert titles["dpg commcare-android"] == {"CommCare Android"}
    assert "dpg commcare-cloud" in titles
    # The other three links stand beside nominees of another sector.
    assert not {f"dpg {name}" for name in LINKS if name.startswith("mifos")} & set(titles)


def test_the_invalid_yaml_is_in_quarantine_with_its_line(goods: Engine) -> None:
    (entry,) = quarantine(goods, "publiccode")
    assert entry["where"] == "Azienda-USL-di-Bologna__DAE-RespondER.publiccode.yml"
    assert "not valid YAML in line 64" in entry["reasons"][0]
    assert "DAE RespondER" in entry["native"]


# ------------------------------------------------------------------------------------------------ what they say


def test_the_countries_are_those_of_the_records(
    goods: Engine, records: dict[str, dict[str, Any]], ontology: Ontology
) -> None:
    places = by_record(
        goods, "GRAPH ?stated { ?s dct:spatial ?v } FILTER(!STRENDS(STR(?stated), '/derived'))"
    )
    assert {place for found in places.values() for place in found} <= ontology.schemes[OP_COUNTRY]
    for key, record in records.items():
        if key.startswith("globalgoods"):
            stated = {code for code in record["Reach"]["ImplementationCountries"] if code}
        elif key.startswith("dpg"):
            where = record["listing"].get("locations", {})
            stated = {
                c for kind in ("deployment", "development") for c in where.get(f"{kind}Countries", []) if c
            }
        else:
            continue
        # As many places as the record names: none was lost, and no two fell together.
        assert len(places[key]) == len(stated), key
    everywhere = {place for key, found in places.items() if key.startswith("dpg") for place in found}
    odd = "CIV SWZ COG CZE BES FRO MMR PSE MAF STP SXM USA VGB VIR"
    assert {f"{OP_COUNTRY}/{code}" for code in odd.split()} <= everywhere
    assert places["publiccode https://github.com/AUSL-ReggioEmilia/Matilde"] == {OP_COUNTRY + "/ITA"}


def test_texts_keep_the_language_of_their_file(goods: Engine) -> None:
    languages = by_record(goods, "BIND(LANG(?d) AS ?v)")
    publiccode = {key: value for key, value in languages.items() if key.startswith("publiccode")}
    assert publiccode.pop("publiccode https://github.com/Cetriq/CuraNexus") == {"sv"}
    assert len(publiccode) == 5 and all(value == {"it"} for value in publiccode.values())
    assert all(value == {"en"} for key, value in languages.items() if not key.startswith("publiccode"))


def test_a_description_that_is_a_plain_text_lands(goods: Engine) -> None:
    (text,) = by_record(goods, "BIND(?d AS ?v)")["publiccode https://github.com/TUO_USERNAME/chiaro-referto"]
    assert text.startswith("ChiaroReferto è uno strumento")


def test_figures_of_use_are_those_of_the_records(goods: Engine, records: dict[str, dict[str, Any]]) -> None:
    figures = by_record(
        goods, '?s dhu:uptake ?u . ?u dhu:metric ?m ; dhu:value ?n BIND(CONCAT(?m, " ", STR(?n)) AS ?v)'
    )
    for key, record in records.items():
        expected: set[str] = set()
        if key.startswith("globalgoods"):
            reach = record["Reach"]
            if reach["NumberOfImplementations"]:
                expected.add(f"implementations {reach['NumberOfImplementations']}")
            if stated := {code for code in reach["ImplementationCountries"] if code}:
                expected.add(f"countries where it is implemented {len(stated)}")
        elif key.startswith("dpg"):
            where = record["listing"].get("locations", {}).get("deploymentCountries", [])
            if stated := {country for country in where if country}:
                expected.add(f"countries where it is in use {len(stated)}")
        elif len(users := record.get("usedBy", [])) > 1:
            expected.add(f"bodies that use it {len(users)}")
        assert figures.get(key, set()) == expected, key


def test_the_placeholders_of_the_guidebook_are_no_facts(
    goods: Engine, records: dict[str, dict[str, Any]]
) -> None:
    years = by_record(goods, "?s dhu:startYear ?v")
    given = {
        key: record["Community"]["InceptionYear"]
        for key, record in records.items()
        if " " in key and "Community" in record
    }
    assert {key: {str(year)} for key, year in given.items() if 1900 < year < 2025} == years
    assert 2025 in given.values() and -1 in given.values() and 0 in given.values()
    assert by_record(goods, "?s dcat:landingPage ?v")["globalgoods openhie"] == {"https://ohie.org/"}


def test_stable_is_routine_use_only_where_a_user_is_named(goods: Engine) -> None:
    stages = by_record(goods, "?s dhu:maturity/skos:notation ?v")
    assert {key.rsplit("/", 1)[-1]: value for key, value in stages.items()} == {
        "DorsaleInteroperabilePA": {"routine-use"},
        "babel": {"routine-use"},
        "CuraNexus": {"in-development"},
    }
    words = by_record(goods, "?s dhu:statusText ?v")
    assert words["publiccode https://github.com/ASL2-Liguria/onesys"] == {"stable"}


def test_the_first_owner_leads_and_the_others_are_partners(goods: Engine) -> None:
    leads, partners = (
        by_record(goods, "?s dhu:lead/dct:title ?v"),
        by_record(goods, "?s dhu:partner/foaf:name ?v"),
    )
    assert leads["dpg accessmod"] == {"University of Geneva, GeoHealth group"}
    assert partners["dpg accessmod"] == {"Health GeoLab Collaborative"}
    assert leads["dpg android-fhir-sdk"] == {"Google"}
    assert sum(key.startswith("dpg") for key in leads) == 50


def test_repositories_are_told_from_web_pages(goods: Engine, records: dict[str, dict[str, Any]]) -> None:
    code = by_record(goods, "?s schema:codeRepository ?v")
    for key, record in records.items():
        if key.startswith("dpg"):
            stated = {r["url"] for r in record["nominee"].get("repositories", []) if r["url"]}
            assert code.get(key, set()) == stated, key
    assert code["globalgoods cht"] == {"https://github.com/medic/cht-core"}


# ------------------------------------------------------------------------------------------------ what never may


def test_no_e_mail_address_is_in_any_graph(graph: ox.Store, records: dict[str, dict[str, Any]]) -> None:
    assert len(E_MAIL.findall(json.dumps(records, default=str))) > 50  # there would be something to find
    found = {
        str(term)
        for quad in graph
        for term in (quad.subject, quad.object)
        if quad.graph_name.value.rsplit("/", 1)[-1] in FOLDERS and E_MAIL.search(str(term))
    }
    assert not found


def test_no_name_of_a_contact_person_is_in_any_graph(
    graph: ox.Store, records: dict[str, dict[str, Any]]
) -> None:
    persons: set[str] = set()
    for record in records.values():
        persons |= {
            o["contact_name"]
            for o in record.get("nominee", {}).get("organizations", [])
            if "contact_name" in o
        }
        persons |= {c["name"] for c in record.get("maintenance", {}).get("contacts", [])}
        contacts = {c.get("name", "") for c in record.get("Contact", [])}
        persons |= {name for name in contacts if not re.search("Support|Contact|Community|Foundation", name)}
        legal = record.get("legal", {})
        if "it" not in record:
            persons |= {legal["mainCopyrightOwner"]} if "mainCopyrightOwner" in legal else set()
    persons = {name for name in persons if name and len(name.split()) in (2, 3)}
    assert len(persons) > 30
    values = {
        quad.object.value
        for quad in graph
        if isinstance(quad.object, ox.Literal) and quad.graph_name.value.rsplit("/", 1)[-1] in FOLDERS
    }
    named = {value for value in values for name in persons if name in value}
    assert not named


def test_every_predicate_has_a_label(graph: ox.Store, ontology: Ontology) -> None:
    labelled = {
        quad.subject.value
        for quad in ontology.store.quads_for_pattern(None, ox.NamedNode(RDFS + "label"), None, None)
    }
    assert not {quad.predicate.value for quad in graph} - labelled


# ------------------------------------------------------------------------------------------------ what they needed


def test_a_star_in_ignore_stands_for_any_keys(make_source: Any, ontology: Ontology, tmp_path: Path) -> None:
    source = make_source(input='[ignore]\n"checks.*" = "answers"\n"text.*.logo" = "a picture"\n')
    path = tmp_path / "records.jsonl"
    fields = {"title": "A title", "description": "An invented description.", "country": "GR"}
    more = {"checks": {"a": {"b": 1}, "c": 2}, "text": {"it": {"logo": "x", "odd": "y"}}, "checkst": 1}
    path.write_text(json.dumps({"id": "1", **fields, **more}) + "\n", encoding="utf-8")
    report = ingest.ingest(source, str(path), tmp_path / "data", ontology)
    assert report.unmapped == {"text.it.odd": 1, "checkst": 1}


@pytest.fixture
def served() -> Iterator[Callable[[bytes], tuple[str, list[str]]]]:
    """Serves these bytes on loopback: (address, the paths that were asked for)."""
    body, asked = b"", []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()

        def serve(content: bytes) -> tuple[str, list[str]]:
            nonlocal body
            body = content
            return f"http://127.0.0.1:{server.server_address[1]}/archive.zip", asked

        yield serve
        server.shutdown()
        thread.join()


def test_an_archive_that_serves_both_inputs_is_fetched_and_opened_once(
    served: Callable[[bytes], tuple[str, list[str]]], tmp_path: Path
) -> None:
    """The archive of a repository: its members stand in a folder of its name."""
    sample = sources.load("dpg").folder / "sample"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(sample.rglob("*.json")):
            archive.write(path, f"publicgoods-candidates-0123abc/{path.relative_to(sample)}")
    address, asked = served(packed.getvalue())
    folder = tmp_path / "dpg"
    folder.mkdir()
    toml = (sample.parent / "source.toml").read_text(encoding="utf-8")
    (folder / "source.toml").write_text(
        re.sub(r'url = "[^"]+"', f'url = "{address}"', toml), encoding="utf-8"
    )
    (folder / "map.rq").write_text((sample.parent / "map.rq").read_text(encoding="utf-8"), encoding="utf-8")
    source = sources.load("dpg", folder)
    entries = list(sources.entries(source, sources.fetch(source, None, tmp_path / "scratch"), tmp_path))
    found = {(concerns, getattr(entry, "id", entry)) for concerns, entry in entries}
    assert found == {
        (True, "lighthouse-record"),
        (True, "buoy-line"),
        (False, "reef-farm"),
        (False, "orphan-listing"),
    }
    assert len(entries) == 4 and len(asked) == 1


def test_the_addresses_of_publiccode_are_those_of_the_real_files(shared: Path) -> None:
    source = sources.load("publiccode")
    listed = re.findall(
        r"githubusercontent[.]com/([^/]+)/([^/]+)/HEAD/publiccode[.]yml",
        (source.folder / "addresses.txt").read_text(),
    )
    files = {
        path.name.removesuffix(".publiccode.yml")
        for path in (shared / "data/publiccode-health").glob("*.yml")
    }
    assert {"__".join(pair) for pair in listed} == files and len(listed) == 7
