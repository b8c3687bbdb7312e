"""Hostile RDF: what breaks off, bad addresses, storms of blank nodes, contexts elsewhere, depth that ends parsers."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dhu_graph.model import Record
from hostile import Run, measured, read, told

PREFIX = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n@prefix dct: <http://purl.org/dc/terms/> .\n@prefix e: <https://e.example.org/> .\n"
XML = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/" xmlns:dcat="http://www.w3.org/ns/dcat#">'
RDF_MAP = """
CONSTRUCT { ?s a dhu:GoodPractice ; dct:title ?title ; dct:description ?description ; dcat:landingPage ?page }
WHERE {
  ?r raw:is raw:Record ; raw:dct-identifier ?id .
  BIND(fn:iri(?r, "practice", STR(?id)) AS ?s)
  { ?r raw:dct-title ?x BIND(STRLANG(STR(fn:text(?x)), "en") AS ?title) }
  UNION { ?r raw:dct-description ?x BIND(STRLANG(STR(?x), "en") AS ?description) }
  UNION { ?r raw:dcat-landingPage ?x BIND(fn:web(?x) AS ?page) }
}
"""
CLASS = 'records = "dcat:Dataset"\n'


def turtle(number: int | str, more: str = "") -> str:
    """A dataset that is in order."""
    return (
        f'e:{number} a dcat:Dataset ; dct:identifier "{number}" ; dct:title "Set {number}" ;\n'
        f'  dct:description "An invented set of data, number {number}." {more}.\n'
    )


def xml(number: int | str, more: str = "") -> str:
    """The same in RDF/XML."""
    return (
        f'<dcat:Dataset rdf:about="https://e.example.org/{number}"><dct:identifier>{number}</dct:identifier>'
        f"<dct:title>Set {number}</dct:title>"
        f"<dct:description>An invented set of data, number {number}.</dct:description>{more}</dcat:Dataset>\n"
    )


@pytest.fixture
def rdf(run: Run) -> Run:
    """Ingests RDF with a map for datasets, which are known by their own IRI."""

    def rdf(name: str, content: bytes, **how: str) -> object:
        return run(name, content, format="rdf", map=RDF_MAP, input=CLASS, id="@id", **how)

    return rdf  # type: ignore[return-value]


# ------------------------------------------------------------------------------------------------ what breaks off


def test_turtle_that_breaks_off_lands_what_is_whole(rdf: Run) -> None:
    text = PREFIX + turtle(1) + turtle(2) + turtle(3)[:-60]
    landed = rdf("r.ttl", text.encode())
    assert landed.titles == ["Set 1", "Set 2"]
    assert (
        "The file breaks off within this description" in landed.reasons and "r.ttl, line " in landed.reasons
    )


def test_the_owner_of_a_blank_node_in_which_a_file_breaks_off_does_not_land(rdf: Run) -> None:
    text = (
        PREFIX
        + turtle(1)
        + turtle(2)[:-2].rstrip(". \n")
        + ' ; dct:publisher [ dct:title "x" ; dct:type [ dct:title "'
    )
    assert rdf("r.ttl", text.encode()).titles == ["Set 1"]


def test_n_triples_go_on_after_a_bad_line_and_tell_it(rdf: Run) -> None:
    e, dct = "https://e.example.org/", "http://purl.org/dc/terms/"
    lines = [
        f"<{e}1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .",
        f'<{e}1> <{dct}title> "cut of',
        f'<{e}1> <{dct}identifier> "1" .',
        f'<{e}1> <{dct}title> "Set 1" .',
        f'<{e}1> <{dct}description> "An invented set of data." .',
        f'<{e}1> <{dct}subject> "cut',
    ]
    landed = rdf("r.nt", "\n".join(lines).encode())
    assert landed.titles == ["Set 1"]
    assert [row["where"] for row in landed.refused] == ["r.nt, line 2", "r.nt, line 6"]


def test_rdf_xml_that_breaks_off_lands_what_is_whole(rdf: Run) -> None:
    landed = rdf("r.rdf", (XML + "\n" + xml(1) + xml(2) + xml(3)[:-60]).encode())
    assert landed.titles == ["Set 1", "Set 2"] and "r.rdf" in landed.reasons


def test_a_mark_of_byte_order_does_no_harm_and_utf_16_is_told(rdf: Run, tmp_path: Path) -> None:
    text = PREFIX + turtle(1)
    assert rdf("r.ttl", text.encode("utf-8-sig")).titles == ["Set 1"]
    (only,) = told(read(tmp_path / "w.ttl", text.encode("utf-16"), format="rdf", records="dcat:Dataset"))
    assert only == "!w.ttl: The file is UTF-16, and RDF is read as UTF-8 only. Save it as UTF-8."


# ------------------------------------------------------------------------------------------------ addresses


def test_addresses_that_are_none_become_no_links(rdf: Run) -> None:
    pages = "<javascript:alert(1)>, <data:text/html,x>, <https://ok.example.org/a b>, <file:///etc/passwd>, <HTTPS://Ok.Example.org/c>"
    landed = rdf("r.ttl", (PREFIX + turtle(1, f"; dcat:landingPage {pages} ") + turtle(2)).encode())
    assert not landed.refused, landed.reasons
    links = [line for line in landed.lines if b"landingPage" in line]
    assert landed.titles == ["Set 1", "Set 2"] and len(links) == 2
    assert not any(
        word in b"".join(landed.lines) for word in (b"javascript", b"data:text", b"file:", b"a b>")
    )


def test_relative_addresses_need_the_url_of_the_source(rdf: Run, tmp_path: Path) -> None:
    text = PREFIX + turtle(1, "; dcat:landingPage <page/1> ") + turtle(2)
    landed = rdf("r.ttl", text.encode())
    assert landed.titles == ["Set 2"] and "relative IRI. Give the input its `url`" in landed.reasons
    (one, _) = read(
        tmp_path / "u.ttl",
        text.encode(),
        format="rdf",
        records="dcat:Dataset",
        url="https://u.example.org/x/",
        id="@id",
    )
    assert isinstance(one, Record) and one.fields["dcat:landingPage"] == "https://u.example.org/x/page/1"


# ------------------------------------------------------------------------------------------------ blank nodes


@pytest.mark.parametrize("shape", ["chain", "circle", "star", "lattice"])
def test_a_storm_of_blank_nodes_costs_only_its_own_record(shape: str, rdf: Run) -> None:
    many = 100_000
    links = {
        "chain": "".join(f"_:b{n} e:p _:b{n + 1} .\n" for n in range(many)),
        "circle": "".join(f"_:b{n} e:p _:b{(n + 1) % many} .\n" for n in range(many)),
        "star": "".join(f"_:b0 e:p _:b{n} .\n" for n in range(1, many)),
        "lattice": "".join(f"_:b{n} e:p _:b{n + 1} ; e:q _:b{n + 1} .\n" for n in range(30)),
    }[shape]
    landed = rdf(
        "r.ttl", (PREFIX + turtle(1) + turtle("x", "; dct:relation _:b0 ") + turtle(2) + links).encode()
    )
    assert landed.titles == ["Set 1", "Set 2"]
    (row,) = landed.refused
    assert row["where"] == "r.ttl, https://e.example.org/x"
    assert "nest deeper than 20" in row["reasons"][0] or "More than 5,000 statements" in row["reasons"][0]


def test_a_record_of_a_million_statements_costs_only_itself_in_bounded_memory(big: Path) -> None:
    path = big / "big.ttl"
    with path.open("w") as out:
        out.write(PREFIX + turtle(1) + turtle(2))
        for n in range(100):
            out.write(
                "e:x a dcat:Dataset ; e:p "
                + ",".join(map(str, range(n * 10_000, n * 10_000 + 10_000)))
                + ".\n"
            )
    ids, reasons, grown, seconds = measured(path, format="rdf", records="dcat:Dataset", id="dct:identifier")
    assert ids == ["1", "2"] and len(reasons) == 1 and "More than 5,000 statements" in reasons[0]
    assert grown < 900 and seconds < 20


def test_a_graph_that_memory_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dhu_graph.sources.readers.graph.LARGEST_GRAPH", 1_000)
    text = PREFIX + turtle(1, "; e:p " + ",".join(map(str, range(2_000))) + " ")
    (only,) = told(read(tmp_path / "r.ttl", text.encode(), format="rdf", records="dcat:Dataset"))
    assert only == "!r.ttl: The file has more than 1,000 statements."


def test_what_is_said_in_blank_nodes_counts_and_their_names_do_not(tmp_path: Path) -> None:
    def native(label: str, word: str) -> bytes:
        text = (
            PREFIX + turtle(1, f"; dct:publisher _:{label} ") + f'_:{label} dct:title "{word}", "_:self" .\n'
        )
        (found,) = read(
            tmp_path / "r.ttl", text.encode(), format="rdf", records="dcat:Dataset", id="dct:identifier"
        )
        return found.native

    assert native("a", "x") == native("b", "x") != native("a", "y")
    assert b'"_:self"' in native("a", "x")


# ------------------------------------------------------------------------------------------------ JSON-LD


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and the paths that it was asked for."""
    paths: list[str] = []

    class Count(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Count) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", paths
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "kind", ["plain", "list", "after an object", "escaped", "imported", "scoped", "xml", "turtle"]
)
def test_nothing_is_fetched_while_reading(kind: str, asked: tuple[str, list[str]], tmp_path: Path) -> None:
    root, paths = asked
    context = f'"{root}/context.jsonld"'
    body = '"@id": "https://e.example.org/1", "@type": "http://www.w3.org/ns/dcat#Dataset"'
    name, text = {
        "plain": ("r.jsonld", f'{{"@context": {context}, {body}}}'),
        "list": ("r.jsonld", f'{{"@context": [{context}], {body}}}'),
        "after an object": ("r.jsonld", f'{{"@context": [{{"a": "https://a.example.org/"}}, {context}], {body}}}'),
        "escaped": ("r.jsonld", f'{{"\\u0040context": {context}, {body}}}'),
        "imported": ("r.jsonld", f'{{"@context": {{"@version": 1.1, "@import": {context}}}, {body}}}'),
        "scoped": ("r.jsonld", f'{{"@context": {{"p": {{"@id": "https://a.example.org/p", "@context": {context}}}}}, {body}, "p": {{"@id": "x:y"}}}}'),
        "xml": ("r.rdf", f'<?xml version="1.0"?><?xml-stylesheet href="{root}/x.xsl"?>{XML}{xml(1)}</rdf:RDF>'),
        "turtle": ("r.ttl", f"@base <{root}/> .\n" + PREFIX + turtle(1, f"; <http://www.w3.org/2002/07/owl#imports> <{root}/o> ")),
    }[kind]  # fmt: skip
    found = read(tmp_path / name, text.encode(), format="rdf", records="dcat:Dataset", id="@id")
    assert paths == [] and found
    if name == "r.jsonld":
        assert any("context" in line or "@import" in line for line in told(found)), told(found)


@pytest.mark.parametrize("opening", ['{"http://e.example.org/p":', "[", '{"@graph":[', '{"@list":'])
def test_json_ld_nested_50_000_deep_is_refused(opening: str, rdf: Run) -> None:
    closing = "".join({"{": "}", "[": "]"}.get(c, "") for c in reversed(opening) if c in "{[")
    text = (
        '{"@id": "http://e.example.org/1", "http://e.example.org/q": '
        + opening * 50_000
        + "1"
        + closing * 50_000
        + "}"
    )
    assert "nests deeper than 100 levels" in rdf("r.jsonld", text.encode()).reasons


def test_looking_for_depth_takes_no_hours(tmp_path: Path) -> None:
    begun = time.monotonic()
    for text in (
        '"' + '\\"' * 1_000_000,
        "[]" * 1_000_000,
        '{"a": "' + "[" * 1_000_000 + '"}',
        "]" * 1_000_000,
    ):
        assert read(tmp_path / "r.jsonld", text.encode(), format="rdf", records="dcat:Dataset")
    assert time.monotonic() - begun < 15


# ------------------------------------------------------------------------------------------------ depth


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("r.ttl", " "), ("r.nt", " "), ("r.trig", " "), ("r.ttl", " # >>\n"), ("r.ttl", " e:x\\#<< ")],
)
def test_triples_that_quote_triples_do_not_end_the_process(name: str, hidden: str, tmp_path: Path) -> None:
    text = (
        PREFIX * (name != "r.nt")
        + "<e:1> <e:2> "
        + f"<<( <e:1> <e:2>{hidden}" * 100_000
        + "1"
        + " )>>" * 100_000
        + " ."
    )
    (tmp_path / name).write_text(text)
    ids, reasons, _, seconds = measured(tmp_path / name, format="rdf", records="dcat:Dataset")
    assert not ids and "quote each other deeper than 100 levels" in reasons[0] and seconds < 10


def test_brackets_deep_in_turtle_and_quotation_marks_in_texts_are_fine(rdf: Run) -> None:
    deep = "[ e:p " * 50_000 + "1" + " ]" * 50_000
    text = (
        PREFIX
        + turtle(1)
        + f"e:x e:p {deep} .\n"
        + "".join(f'e:t dct:title "<< {n}" .\n' for n in range(300))
    )
    assert rdf("r.ttl", text.encode()).titles == ["Set 1"]


def test_rdf_xml_nested_deep_takes_no_hours(rdf: Run) -> None:
    deep = "<dct:relation><dcat:Dataset>" * 50_000 + "</dcat:Dataset></dct:relation>" * 50_000
    landed = rdf("r.rdf", (XML + xml(1, deep) + "</rdf:RDF>").encode())
    assert not landed.titles and "nests deeper than 100 levels" in landed.reasons


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-7"])
def test_entities_of_rdf_xml_are_refused_in_any_encoding(encoding: str, rdf: Run) -> None:
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE r [<!ENTITY a0 "ha">{laughs}<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    landed = rdf(
        "r.rdf", (bomb + XML + xml(1, "<dct:subject>&a9;&f;</dct:subject>") + "</rdf:RDF>").encode(encoding)
    )
    assert not landed.titles and landed.refused and b"root:" not in b"".join(landed.lines)
    assert (
        "DOCTYPE" in landed.reasons
        or "UTF-16" in landed.reasons
        or "UTF-8 is supported" in landed.reasons
        or "not valid XML" in landed.reasons
    )
