"""The feeds, fetched from a server on loopback that answers as their origins do: pages, tokens, archives, a SPARQL endpoint."""

import io
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest

from dhu_graph import Engine, sources
from dhu_graph.errors import BadInput, RemoteFailure
from dhu_graph.model import Record
from dhu_graph.sources import File, Input, records

ROOT = Path(__file__).resolve().parents[2]
FEEDS = ["cordis", "zenodo", "dcat-ap", "diga", "eu-sparql", "wikidata"]
ELSEWHERE = {"globalgoods", "dpg", "publiccode"}
"""Sources that may have a row in docs/sources.md before they have a folder."""

Answer = tuple[int, dict[str, str], bytes]


class Site:
    """What the server answers: by path and query, or, where that is missing, by `otherwise`; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.root = ""
        self.asked: list[str] = []
        self.pages: dict[str, Answer] = {}
        self.otherwise: Callable[[str, str], Answer] = lambda path, body: (404, {}, b"")

    def put(self, path: str, body: bytes | str, media: str = "text/plain") -> str:
        content = body.encode() if isinstance(body, str) else body
        self.pages[path] = (200, {"Content-Type": media}, content)
        return self.root + path

    def answer(self, path: str, body: str) -> Answer:
        self.asked.append(path)
        return self.pages.get(path) or self.otherwise(path, body)


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server on loopback, filled by the test."""
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, headers, content = made.answer(self.path, self.rfile.read(length).decode())
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.root = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine.open(data=tmp_path / "data", embed=False)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the harvester would have slept, each time."""
    slept: list[float] = []
    monkeypatch.setattr("dhu_graph.sources.web.time.sleep", slept.append)
    return slept


def sample(name: str, file: str) -> str:
    return (sources.load(name).folder / "sample" / file).read_text(encoding="utf-8")


def copied(name: str, tmp_path: Path, **files: str) -> Path:
    """A copy of the folder of a source; `files` replace those of the same name (`source_toml` is source.toml)."""
    folder = tmp_path / name
    shutil.copytree(sources.load(name).folder, folder)
    for key, text in files.items():
        (folder / ".".join(key.rsplit("_", 1))).write_text(text, encoding="utf-8")
    return folder


def counts(report: Any) -> tuple[int, int, int, int]:
    return report.read, report.out_of_scope, report.landed, report.quarantined


# ------------------------------------------------------------------------------------------------ OAI-PMH

LIST = "/oai2d?verb=ListRecords&metadataPrefix=oai_datacite&set=user-invented"
NEXT = "/oai2d?verb=ListRecords&resumptionToken="
ERROR = """<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026-01-02T03:04:05Z</responseDate>
<request>https://zenodo.example.org/oai2d</request><error code="{}">{}</error></OAI-PMH>"""


def test_oai_pmh_is_followed_by_its_tokens_and_deleted_records_do_not_concern_us(
    site: Site, engine: Engine
) -> None:
    second = sample("zenodo", "page-2.xml")
    token = '<resumptionToken cursor="2" completeListSize="6">third page/=</resumptionToken>'
    address = site.put(LIST, sample("zenodo", "page-1.xml"), "application/xml")
    site.put(NEXT + ".invented-token%262", re.sub("<resumptionToken.*/>", token, second), "application/xml")
    site.put(NEXT + "third%20page%2F%3D", second.replace("zenodo.example.org:99", "zenodo.example.org:88"))
    report, lines = engine.validate("zenodo", address)
    assert site.asked == [LIST, NEXT + ".invented-token%262", NEXT + "third%20page%2F%3D"]
    assert counts(report) == (6, 3, 3, 0)  # out of scope: one deleted, two data sets
    assert not any("Person" in line or "99000009" in line for line in lines)


def test_a_token_that_has_run_out_is_no_last_page(site: Site, engine: Engine) -> None:
    address = site.put(LIST, sample("zenodo", "page-1.xml"), "application/xml")
    site.put(NEXT + ".invented-token%262", ERROR.format("badResumptionToken", "Too late, it is fictional."))
    with pytest.raises(RemoteFailure, match=r"badResumptionToken: Too late") as failure:
        engine.validate("zenodo", address)
    assert "begin again" in failure.value.hint


def test_a_wrong_prefix_is_told_in_the_words_of_the_server(site: Site, engine: Engine) -> None:
    address = site.put(LIST, ERROR.format("cannotDisseminateFormat", "No such format."))
    with pytest.raises(RemoteFailure, match="cannotDisseminateFormat: No such format") as failure:
        engine.validate("zenodo", address)
    assert "metadataPrefix" in failure.value.hint


def test_a_set_without_records_is_no_fault_of_the_server(site: Site, tmp_path: Path) -> None:
    address = site.put(LIST, ERROR.format("noRecordsMatch", ""))
    (file,) = sources.fetch(sources.load("zenodo"), address, tmp_path)
    (said,) = records(file)
    assert isinstance(said, sources.Unreadable) and "no element 'record'" in said.reason


@pytest.mark.parametrize(("name", "file"), [("zenodo", "sets.txt"), ("wikidata", "items.txt")])
def test_a_list_of_addresses_that_is_still_empty_is_named(name: str, file: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"{file} lists no address yet") as failure:
        sources.fetch(sources.load(name), None, tmp_path)
    assert "terms" in failure.value.hint


# ------------------------------------------------------------------------------------------------ DCAT, FHIR


def test_a_catalogue_is_followed_by_hydra_next_which_ckan_writes_as_a_text(
    site: Site, engine: Engine
) -> None:
    for number in (1, 2):
        page = sample("dcat-ap", f"page-{number}.ttl").replace(
            "https://catalogue.example.org/catalog", site.root + "/catalog"
        )
        site.put(f"/catalog.ttl?page={number}", page, "text/turtle; charset=utf-8")
    report, lines = engine.validate("dcat-ap", site.root + "/catalog.ttl?page=1")
    assert site.asked == ["/catalog.ttl?page=1", "/catalog.ttl?page=2"]
    assert counts(report) == (3, 1, 2, 0)
    assert not any("must not be named" in line or "mailto" in line for line in lines)


@pytest.mark.parametrize("following", ["</next?page=2>", '"/next?page=2"'], ids=["an IRI", "a text"])
def test_the_next_page_may_be_told_without_its_host(following: str, site: Site, tmp_path: Path) -> None:
    first = f"<#v> <http://www.w3.org/ns/hydra/core#next> {following} ."
    site.put("/next?page=2", "# the last one", "text/turtle")
    sources.fetch(sources.load("dcat-ap"), site.put("/first", first, "text/turtle"), tmp_path)
    assert site.asked == ["/first", "/next?page=2"]


def bundles(site: Site) -> str:
    """The two pages of the DiGA sample on the server; the address of the first."""
    for number, path in (
        (1, "/api/fhir/v3.0/DeviceDefinition?_profile=x"),
        (2, "/api/fhir/v3.0?_getpages=1"),
    ):
        page = sample("diga", f"page-{number}.json")
        page = re.sub(r'("next", "url": ")[^"]*', rf"\1{site.root}/api/fhir/v3.0?_getpages=1", page)
        site.put(path, page, "application/fhir+json;charset=UTF-8")
    return site.root + "/api/fhir/v3.0/DeviceDefinition?_profile=x"


def test_a_bundle_is_followed_by_its_link_and_only_the_apps_concern_us(site: Site, engine: Engine) -> None:
    report, _ = engine.validate("diga", bundles(site))
    assert site.asked == ["/api/fhir/v3.0/DeviceDefinition?_profile=x", "/api/fhir/v3.0?_getpages=1"]
    assert counts(report) == (6, 4, 2, 0)


def test_pages_that_lead_back_are_refused(site: Site, tmp_path: Path) -> None:
    address = bundles(site)
    again = sample("diga", "page-2.json").replace('"relation": "previous"', '"relation": "next"')
    site.put("/api/fhir/v3.0?_getpages=1", re.sub(r'("next", "url": ")[^"]*', rf"\1{address}", again))
    with pytest.raises(RemoteFailure, match="go round in circles") as failure:
        sources.fetch(sources.load("diga"), address, tmp_path)
    assert address in failure.value.detail and len(site.asked) == 2


def test_a_next_page_on_another_host_is_refused_and_not_asked_for(site: Site, tmp_path: Path) -> None:
    address = site.put("/bundle", sample("diga", "page-1.json"), "application/json")
    with pytest.raises(
        RemoteFailure, match=r"names a next page on another host: https://diga\.example\.org/"
    ):
        sources.fetch(sources.load("diga"), address, tmp_path)
    assert site.asked == ["/bundle"]


# ------------------------------------------------------------------------------------------------ SPARQL

GRAPH = """
@prefix eurio: <http://data.europa.eu/s66#> .
@prefix p: <https://projects.example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
p:1 a eurio:Project ; eurio:identifier "1"^^rdfs:Literal ; eurio:title "An invented eHealth ferry"^^rdfs:Literal ;
  eurio:abstract "A ferry of a fictional strait that carries only records of patients."^^rdfs:Literal ;
  eurio:hasAcronym [ eurio:shortForm "FERRY" ] ; eurio:startDate "2020-01-01" ;
  eurio:hasInvolvedParty
    [ eurio:roleLabel "Coordinator"^^rdfs:Literal ; eurio:isRoleOf [ eurio:legalName "STRAIT EXAMPLE" ; eurio:hasSite
        [ eurio:hasGeographicalLocation [ a eurio:Country ; eurio:name "Denmark" ] , [ eurio:name "not a country" ] ] ] ] ,
    [ eurio:roleLabel "participant" ; eurio:isRoleOf [ eurio:legalName "WHO MUST NOT BE NAMED" ] ] .
p:2 a eurio:Project ; eurio:identifier "2" ; eurio:title "Telemedicine for an invented moor"@en ;
  eurio:abstract "Doctors of a fictional moor see patients by lamp and by line."@en .
p:3 a eurio:Project ; eurio:identifier "3" ; eurio:title "Roofs of an invented town"@en .
"""


def endpoint(site: Site, syntax: ox.RdfFormat, media: str) -> None:
    """Makes the site answer CONSTRUCT queries from GRAPH, as `media`."""
    store = ox.Store()
    store.load(GRAPH.encode(), ox.RdfFormat.TURTLE)

    def asked(path: str, body: str) -> Answer:
        (query,) = parse_qs(body)["query"]
        site.asked[-1] = "OFFSET " + re.search(r"OFFSET (\d+)", query)[1]  # type: ignore[index]
        found = store.query(query)
        assert isinstance(found, ox.QueryTriples)
        return 200, {"Content-Type": media}, found.serialize(format=syntax) or b""

    site.otherwise = asked


@pytest.mark.parametrize(
    ("syntax", "media"),
    [
        (ox.RdfFormat.N_TRIPLES, "application/n-triples"),
        (ox.RdfFormat.TURTLE, "text/turtle;charset=utf-8"),
        (ox.RdfFormat.RDF_XML, "application/rdf+xml"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_endpoint_is_asked_until_a_page_is_empty_in_whatever_syntax(
    syntax: ox.RdfFormat, media: str, site: Site, engine: Engine, tmp_path: Path
) -> None:
    feed = sources.load("eu-sparql").folder
    folder = copied(
        "eu-sparql",
        tmp_path,
        source_toml=(feed / "source.toml").read_text().replace("https://cordis.europa.eu/datalab", site.root),
        construct_rq=(feed / "construct.rq").read_text().replace("LIMIT 200", "LIMIT 1"),
    )
    endpoint(site, syntax, media)
    report, lines = engine.validate("eu-sparql", folder=folder)
    assert site.asked == ["OFFSET 0", "OFFSET 1", "OFFSET 2"]
    assert counts(report) == (2, 0, 2, 0)
    text = "\n".join(lines)
    assert "STRAIT EXAMPLE" in text and "/country/DNK>" in text and "MUST NOT BE NAMED" not in text


def test_an_endpoint_that_does_not_heed_offset_is_refused(site: Site, tmp_path: Path) -> None:
    feed = sources.load("eu-sparql")
    site.otherwise = lambda path, body: (200, {"Content-Type": "text/turtle"}, b"<urn:a> <urn:b> <urn:c> .")
    item = feed.input[0].model_copy(update={"url": site.root + "/sparql"})
    with pytest.raises(RemoteFailure, match="go round in circles") as failure:
        sources.fetch(feed.model_copy(update={"input": (item,)}), None, tmp_path)
    assert "OFFSET" in failure.value.hint and len(site.asked) == 2


# ------------------------------------------------------------------------------------------------ CORDIS


def zipped(old: str = "", new: str = "") -> bytes:
    """The CORDIS sample as the ZIP that CORDIS offers."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((sources.load("cordis").folder / "sample").glob("*.csv")):
            text = path.read_text(encoding="utf-8")
            archive.writestr(path.name, text.replace(old, new) if old else text)
    return packed.getvalue()


def test_each_cordis_zip_is_fetched_once_for_all_its_files(
    site: Site, engine: Engine, tmp_path: Path
) -> None:
    listed = [
        site.put("/data/one.zip", zipped(), "application/zip"),
        site.put("/data/two.zip", zipped("99000000", "88000000"), "application/zip"),
    ]
    folder = copied("cordis", tmp_path, addresses_txt="# both\n" + "\n".join(listed))
    report, lines = engine.validate("cordis", folder=folder)
    assert site.asked == ["/data/one.zip", "/data/two.zip"]
    assert counts(report) == (6, 2, 4, 0)  # the two projects on roofs
    assert not any("must not be named" in line for line in lines)


def test_a_cordis_zip_may_be_given_as_a_file_or_by_its_address(
    site: Site, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "cordis-h2020projects-csv.zip").write_bytes(zipped())
    _, from_file = engine.validate("cordis", str(tmp_path / "cordis-h2020projects-csv.zip"))
    _, from_web = engine.validate("cordis", site.put("/cordis-h2020projects-csv.zip", zipped()))
    expected = (sources.load("cordis").folder / "expected.ttl").read_bytes()
    graphs = []
    for content, syntax in [
        ("\n".join(from_file).encode(), ox.RdfFormat.N_TRIPLES),
        (expected, ox.RdfFormat.TURTLE),
    ]:
        store = ox.Store()
        store.load(content, syntax)
        graphs.append(set(map(str, store)))
    assert from_file == from_web and graphs[0] == graphs[1]


def test_the_xml_of_a_cordis_project_is_read_as_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "project.xml"
    path.write_text(
        """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://cordis.europa.eu"><rcn>900001</rcn><id>990000001</id><acronym>FJORDWATCH</acronym>
 <title>Invented: watching from fjords</title><startDate>2015-01-01</startDate><ecMaxContribution>3500000,25</ecMaxContribution>
 <relations><associations>
  <organization type="coordinator" order="1"><legalName>FICTIONAL UNIVERSITY</legalName><address><country>EL</country></address></organization>
  <organization type="participant" order="2"><legalName>INVENTED HOSPITAL</legalName><address><country>SE</country></address></organization>
 </associations><categories><category classification="euroSciVoc" type="isInFieldOfScience"><code>/99/1</code></category></categories></relations>
</project>""",
        encoding="utf-8",
    )
    (read,) = records(File(Input(file="*.xml", format="xml", records="project", id="id"), path.name, path))
    assert isinstance(read, Record) and read.id == "990000001" and read.fields["acronym"] == "FJORDWATCH"
    bodies = read.fields["relations"]["associations"]["organization"]
    assert [(b["type"], b["legalName"], b["address"]["country"]) for b in bodies] == [
        ("coordinator", "FICTIONAL UNIVERSITY", "EL"),
        ("participant", "INVENTED HOSPITAL", "SE"),
    ]
    assert read.fields["relations"]["categories"]["category"]["code"] == "/99/1"


# ------------------------------------------------------------------------------------------------ a busy server


def busy(site: Site, after: str, times: int) -> None:
    """The site says `times` times that it is busy, and is then there."""

    def answer(path: str, body: str) -> Answer:
        if len(site.asked) <= times:
            return 429, {"Retry-After": after}, b"slow down"
        return 200, {"Content-Type": "application/json"}, sample("diga", "page-2.json").encode()

    site.otherwise = answer


def test_retry_after_is_heeded_once_and_then_the_answer_is_taken(
    site: Site, engine: Engine, waits: list[float]
) -> None:
    busy(site, "7", 1)
    report, _ = engine.validate("diga", site.root + "/bundle")
    assert waits == [7.0] and len(site.asked) == 2 and report.landed == 1


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        ("in 50 seconds", 20, 50),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 1, 1),
        ("86400", 60, 60),
        ("soon", 5, 5),
        ("", 5, 5),
    ],
    ids=["a date", "a date gone by", "a day", "no number", "nothing"],
)
def test_retry_after_may_be_a_date_and_is_never_waited_for_without_end(
    after: str, least: float, most: float, site: Site, engine: Engine, waits: list[float]
) -> None:
    if after == "in 50 seconds":
        after = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    busy(site, after, 1)
    engine.validate("diga", site.root + "/bundle")
    assert len(waits) == 1 and least <= waits[0] <= most


def test_a_server_that_stays_busy_is_a_remote_failure(site: Site, engine: Engine, waits: list[float]) -> None:
    busy(site, "1", 99)
    with pytest.raises(RemoteFailure, match="3 times that it is busy") as failure:
        engine.validate("diga", site.root + "/bundle")
    assert "Try again later" in failure.value.hint and len(site.asked) == 3


# ------------------------------------------------------------------------------------------------ what the formats asked of the readers

BODY = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
<urn:d> a dcat:Dataset ; dct:publisher <urn:body> ; dct:creator <urn:person> ; dct:relation <urn:elsewhere> ;
  dct:provenance [ dct:title "one" ] , [ dct:title "two" ; dct:subject [ dct:title "three" ] ] .
<urn:body> a foaf:Agent ; foaf:name "An invented body" ; foaf:homepage <https://body.example.org/> .
<urn:body> foaf:knows _:a . _:a foaf:knows _:a .
<urn:person> a foaf:Person , foaf:Agent ; foaf:name "Who must not be named" .
"""


def read_rdf(tmp_path: Path, text: str) -> Record:
    path = tmp_path / "x.ttl"
    path.write_text(text, encoding="utf-8")
    (read,) = records(
        File(Input(file="*.ttl", format="rdf", records="dcat:Dataset", id="@id"), path.name, path)
    )
    assert isinstance(read, Record)
    return read


def test_a_body_comes_with_its_name_and_a_person_does_not(tmp_path: Path) -> None:
    read = read_rdf(tmp_path, BODY)
    assert read.fields["dct:publisher"] == {"@id": "urn:body", "foaf:name": "An invented body"}
    assert read.fields["dct:creator"] == "urn:person" and read.fields["dct:relation"] == "urn:elsewhere"


def test_the_native_bytes_of_rdf_are_the_same_each_time_and_change_with_what_is_said(tmp_path: Path) -> None:
    natives = {read_rdf(tmp_path, BODY).native for _ in range(5)}
    assert len(natives) == 1
    turned = BODY.replace(
        '[ dct:title "one" ] , [ dct:title "two"', '[ dct:title "uno" ] , [ dct:title "two"'
    )
    for other in (turned, BODY.replace("An invented body", "Another"), BODY.replace('"three"', '"four"')):
        assert read_rdf(tmp_path, other).native not in natives
    again = ox.Store()
    again.load(natives.pop(), ox.RdfFormat.TURTLE)
    assert len(again) == 11  # what is said of it and in its brackets, and the name of the body


def test_what_does_not_concern_us_needs_neither_an_identifier_nor_one_of_its_own(
    site: Site, engine: Engine
) -> None:
    page = """{"entry": [{"resource": {"kind": "other"}}, {"resource": {"kind": "other", "n": "1"}}, {"resource": {"kind": "app", "n": "1"}},
      {"resource": {"kind": "app"}}]}"""
    item = Input(
        file="*.json", format="json", records="entry", id="resource.n", scope={"resource.kind": ("app",)}
    )
    source = sources.load("diga").model_copy(update={"input": (item,)})
    from dhu_graph.ingest import preview

    report, _ = preview(source, site.put("/b", page), engine.settings.data, engine.ontology)
    assert (report.read, report.out_of_scope, report.in_scope) == (4, 2, 2)
    assert not any("already used" in e for e in report.examples)
    assert any("'resource.n', which identifies the record, is empty" in e for e in report.examples)


# ------------------------------------------------------------------------------------------------ no persons, and a row for each source


@pytest.mark.parametrize("name", FEEDS)
def test_the_expected_graph_of_a_feed_names_no_person(name: str) -> None:
    folder = sources.load(name).folder
    samples = [folder / "sample"] if (folder / "sample").is_dir() else list(folder.glob("sample.*"))
    texts = [p.read_text(encoding="utf-8") for s in samples for p in (s.iterdir() if s.is_dir() else [s])]
    assert re.search("invented|erfunden", "".join(texts), re.IGNORECASE)
    graph = (folder / "expected.ttl").read_text(encoding="utf-8")
    found = re.findall(
        r"must not be named|Person, |0000-0000|mailto:|\w@\w+\.\w+|orcid", graph, re.IGNORECASE
    )
    assert found == []


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_asks_the_host_that_its_own_description_names(name: str) -> None:
    """Live addresses are those of the origin; a sample never leads there."""
    source = sources.load(name)
    assert not source.shipped and len(source.terms) > 100
    hosts = {urlsplit(str(i.url)).hostname for i in source.input if i.url}
    listed = {
        line
        for i in source.input
        if i.addresses
        for line in (source.folder / i.addresses).read_text().split()
        if "://" in line
    }
    home = ".".join(str(urlsplit(source.homepage).hostname).split(".")[-2:])
    assert all(str(host).endswith(home) for host in hosts | {urlsplit(line).hostname for line in listed})


def rows() -> dict[str, str]:
    table = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `([a-z0-9-]+)` (\|.*)$", table, re.MULTILINE))


def test_every_source_has_a_row_and_every_row_a_source() -> None:
    assert set(sources.names()) - set(rows()) - ELSEWHERE == set()
    assert set(rows()) - set(sources.names()) - ELSEWHERE == set()


@pytest.mark.parametrize("name", sorted(set(sources.names()) - ELSEWHERE))
def test_a_row_says_what_source_toml_says(name: str) -> None:
    source, row = sources.load(name), rows()[name]
    assert source.homepage in row and source.schedule in row
    assert (source.licence or "not stated") in row
    for item in source.input:
        assert (
            not item.url or str(item.url).split("?")[0] in row or item.name
        )  # many inputs: the homepage leads there
