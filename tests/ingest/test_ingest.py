"""The path from a source to its graph, on small sources of our own: what lands, what is kept, what is told."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from dhu_graph import quads, sources
from dhu_graph.errors import BadInput
from dhu_graph.ingest import Report, State, facade, ingest, preview
from dhu_graph.ontology import Ontology
from small_sources import practice, write_lines

NS = "https://w3id.org/dhu/ns#"
TITLE = ox.NamedNode("http://purl.org/dc/terms/title")
KEYWORD = ox.NamedNode("http://www.w3.org/ns/dcat#keyword")


class Small:
    """A small source with a data folder: `run(records…)` ingests them, `graph()` is what has landed."""

    def __init__(self, folder: Path, source: sources.Source, ontology: Ontology) -> None:
        self.folder, self.source, self.ontology = folder, source, ontology
        self.state = State(folder / "data" / "sources" / source.name)

    def run(self, *records: dict[str, Any] | bytes, **how: Any) -> Report:
        path = write_lines(self.folder / "records.jsonl", *records)
        return ingest(self.source, str(path), self.folder / "data", self.ontology, **how)

    def graph(self) -> ox.Store:
        store = ox.Store()
        store.load(b"".join(quads.read(self.state.graph)), ox.RdfFormat.N_QUADS)
        return store

    def titles(self) -> set[str]:
        kind = ox.NamedNode(NS + "GoodPractice")
        return {
            title.object.value
            for q in self.graph().quads_for_pattern(None, None, kind, None)
            for title in self.graph().quads_for_pattern(q.subject, TITLE, None, None)
        }

    def retrieved(self) -> dict[str, str]:
        """Identifier → when this version was first retrieved."""
        graph = self.graph()
        identifier, first = (
            ox.NamedNode("http://purl.org/dc/terms/identifier"),
            ox.NamedNode(NS + "firstRetrieved"),
        )
        return {
            graph.quads_for_pattern(q.subject, identifier, None, None).__next__().object.value: q.object.value
            for q in graph.quads_for_pattern(None, first, None, None)
        }

    def quarantine(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.state.quarantine.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def small(make_source, ontology: Ontology, tmp_path: Path) -> Small:  # type: ignore[no-untyped-def]
    return Small(tmp_path, make_source(), ontology)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The time as the ingest sees it; set `clock[0]`."""
    from datetime import UTC, datetime

    now = ["2026-01-01T00:00:00"]

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "datetime":
            return datetime.fromisoformat(now[0]).replace(tzinfo=UTC)

    monkeypatch.setattr("dhu_graph.ingest.datetime", Clock)
    return now


# ------------------------------------------------------------------------------------------------ what lands


def test_every_resource_says_where_it_comes_from(small: Small) -> None:
    small.run(practice("a-1"))
    graph, native = small.graph(), json.dumps(practice("a-1")).encode()
    resource = ox.NamedNode("https://w3id.org/dhu/id/practice/small-a-1")
    (derived,) = graph.quads_for_pattern(
        resource, ox.NamedNode("http://www.w3.org/ns/prov#wasDerivedFrom"), None, None
    )
    record = {
        q.predicate.value.rsplit("/", 1)[-1].rsplit("#", 1)[-1]: q.object.value
        for q in graph.quads_for_pattern(derived.object, None, None, None)
    }
    assert record["identifier"] == "a-1" and record["license"] == small.source.licence
    assert (
        record["isPartOf"] == "https://w3id.org/dhu/id/source/small"
        and record["primaryTopic"] == resource.value
    )
    assert record["nativeDigest"] == hashlib.sha256(native).hexdigest()


def test_everything_of_a_source_lies_in_its_own_graph(small: Small) -> None:
    small.run(practice(1), practice(2))
    assert {q.graph_name.value for q in small.graph()} == {"https://w3id.org/dhu/graph/small"}


def test_the_graph_file_is_sorted_and_each_line_stands_once(small: Small) -> None:
    small.run(*(practice(n) for n in range(30)))
    lines = list(quads.read(small.state.graph))
    assert lines == sorted(set(lines)) and len(lines) == small.state.report().quads  # type: ignore[union-attr]


def test_a_second_record_with_the_same_identifier_is_quarantined(small: Small) -> None:
    report = small.run(practice(1, title="The first"), practice(2), practice(1, title="The second"))
    assert (report.landed, report.quarantined) == (2, 1)
    (refused,) = small.quarantine()
    assert refused["where"] == "records.jsonl, line 3" and "'1' was already used" in refused["reasons"][0]
    assert small.titles() == {"The first", "Practice 2"}


def test_a_record_of_which_the_map_makes_nothing_is_quarantined(
    make_source, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    only_kept = 'CONSTRUCT { ?s a dhu:Need ; dct:title ?t ; dhu:side ?d } WHERE { ?r raw:id ?id ; raw:title ?t ; raw:kept true BIND(fn:iri(?r, "need", ?id) AS ?s) BIND(fn:concept("side", "demand") AS ?d) }'
    small = Small(tmp_path, make_source(map=only_kept), ontology)
    report = small.run(practice(1, kept=True), practice(2, kept=False))
    assert (report.landed, report.quarantined) == (1, 1)
    assert small.quarantine()[0]["id"] == "2"


def test_what_was_quarantined_lands_when_it_is_mended(small: Small) -> None:
    assert small.run(practice(1), practice(2, title="x")).quarantined == 1
    report = small.run(practice(1), practice(2))
    assert (report.landed, report.quarantined) == (2, 0) and small.quarantine() == []


# ------------------------------------------------------------------------------------------------ what is not done again


def test_the_same_file_is_no_work_at_all(small: Small, clock: list[str]) -> None:
    first = small.run(practice(1), practice(2))
    before = {p.name: p.read_bytes() for p in small.state.folder.iterdir()}
    clock[0] = "2026-02-02T00:00:00"
    second = small.run(practice(1), practice(2))
    assert not first.unchanged and second.unchanged and second.digest == first.digest
    assert {p.name: p.read_bytes() for p in small.state.folder.iterdir()} == before


def test_only_the_changed_record_is_done_again_and_the_others_keep_their_time(
    small: Small, clock: list[str]
) -> None:
    small.run(*(practice(n) for n in range(5)))
    clock[0] = "2026-02-02T00:00:00"
    report = small.run(
        *(practice(n, **({"title": "New title"} if n == 3 else {})) for n in range(5)), practice(9)
    )
    assert (report.reused, report.landed) == (4, 6)
    times = small.retrieved()
    assert {k for k, v in times.items() if v.startswith("2026-02")} == {"3", "9"}
    assert {k for k, v in times.items() if v.startswith("2026-01")} == {"0", "1", "2", "4"}


def test_another_map_does_all_again_and_keeps_the_times(small: Small, clock: list[str], make_source) -> None:  # type: ignore[no-untyped-def]
    small.run(practice(1), practice(2))
    clock[0] = "2026-02-02T00:00:00"
    small.source = make_source(map=small.source.map.replace('"en"', '"de"'))
    report = small.run(practice(1), practice(2))
    assert (report.unchanged, report.reused, report.landed) == (False, 0, 2)
    assert all(time.startswith("2026-01") for time in small.retrieved().values())
    assert all(q.object.language == "de" for q in small.graph().quads_for_pattern(None, KEYWORD, None, None))


def test_a_record_that_came_back_is_new(small: Small, clock: list[str]) -> None:
    small.run(practice(1), practice(2))
    small.run(practice(1))
    assert small.titles() == {"Practice 1"}
    clock[0] = "2026-03-03T00:00:00"
    small.run(practice(1), practice(2))
    assert small.retrieved()["2"].startswith("2026-03") and small.retrieved()["1"].startswith("2026-01")


def test_the_order_of_the_records_does_not_matter(small: Small) -> None:
    first = small.run(*(practice(n) for n in range(10)))
    second = small.run(*(practice(n) for n in reversed(range(10))))
    assert second.reused == 10 and second.digest == first.digest


def test_a_warning_is_told_again_from_the_cache(small: Small) -> None:
    first = small.run(practice(1, odd="x"))
    second = small.run(practice(1, odd="x"), practice(2))
    assert first.unmapped == second.unmapped == {"odd": 1}
    assert second.warnings == 2 * first.warnings > 0


def test_without_its_graph_file_a_source_is_done_again(small: Small) -> None:
    small.run(practice(1))
    small.state.graph.unlink()
    assert not small.run(practice(1)).unchanged and small.titles() == {"Practice 1"}


@pytest.mark.parametrize("spoilt", ["report.json", "cache.sqlite", "both"])
def test_state_that_is_spoilt_costs_work_and_nothing_else(spoilt: str, small: Small) -> None:
    small.run(*(practice(n) for n in range(40)))
    for name in ("report.json", "cache.sqlite"):
        if spoilt in (name, "both"):
            (small.state.folder / name).write_bytes(b"\0{spoilt" * 50)
    report = small.run(*(practice(n) for n in range(41)))
    assert report.landed == 41 and len(small.titles()) == 41


def test_a_cache_with_damaged_pages_never_gives_wrong_content(small: Small) -> None:
    """Bytes in the middle are flipped: it opens, and what cannot be read is done again."""
    long = "A description that is long enough to fill some pages of the cache. " * 200
    records = [practice(n, description=f"{n} {long}") for n in range(20)]
    wanted = small.run(*records).digest
    cache = small.state.folder / "cache.sqlite"
    content = bytearray(cache.read_bytes())
    for position in range(20_000, len(content), 997):
        content[position] ^= 0xFF
    cache.write_bytes(content)
    small.state.folder.joinpath("report.json").unlink()
    report = small.run(*records)
    assert report.landed == 20 and report.reused < 20
    kept = [line for line in quads.read(small.state.graph) if b"firstRetrieved" not in line]
    assert len(kept) + 20 == report.quads and wanted
    assert len(small.titles()) == 20


# ------------------------------------------------------------------------------------------------ bounds, helpers, progress


def test_a_harvest_out_of_bounds_keeps_the_graph_and_is_tried_again_next_time(
    make_source, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    small = Small(tmp_path, make_source(more="expect = {min = 2, max = 3}"), ontology)
    good = small.run(practice(1), practice(2))
    for bad in ([practice(1)], [practice(n) for n in range(4)]):
        report = small.run(*bad)
        assert report.findings and "expects 2 to 3" in report.kept_previous and not report.unchanged
        assert report.digest == good.digest and small.titles() == {"Practice 1", "Practice 2"}
    assert not small.run(*[practice(n) for n in range(4)]).unchanged
    again = small.run(practice(1), practice(2), practice(3))
    assert not again.kept_previous and small.titles() == {"Practice 1", "Practice 2", "Practice 3"}


def test_helpers_make_what_one_process_makes(
    make_source, ontology: Ontology, tmp_path: Path, clock: list[str]
) -> None:  # type: ignore[no-untyped-def]
    records: list[dict[str, Any] | bytes] = [
        practice(n, country="Atlantis" if n == 7 else "FR") for n in range(520)
    ]
    records[3], records[300] = b"{broken", practice(300, title="x")
    made = []
    for processes in (1, 2):
        small = Small(tmp_path / str(processes), make_source(), ontology)
        small.folder.mkdir()
        report = small.run(*records, processes=processes)
        made.append((report, small.quarantine(), list(quads.read(small.state.graph))))
    (one, refused_one, graph_one), (two, refused_two, graph_two) = made
    assert graph_one == graph_two and refused_one == refused_two
    assert (one.landed, one.quarantined) == (two.landed, two.quarantined) == (518, 2)
    assert one.examples == two.examples and one.unmapped == two.unmapped


def test_a_wrong_map_is_said_by_helpers_too(make_source, ontology: Ontology, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    small = Small(tmp_path, make_source(map="CONSTRUCT { ?s a dhu:Need } WHERE { ?r raw:id ?id "), ontology)
    with pytest.raises(BadInput, match="does not parse") as error:
        small.run(*(practice(n) for n in range(600)), processes=2)
    assert error.value.hint == "Mend the line named."


def test_progress_is_told(small: Small) -> None:
    told: list[tuple[int, int]] = []
    small.run(*(practice(n) for n in range(250)), progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told) and told[-1][0] >= 200


# ------------------------------------------------------------------------------------------------ what is told


def test_a_failing_function_names_the_field_and_the_record(small: Small) -> None:
    report = small.run(
        *(practice(n) for n in range(30)),
        practice("x", country="Atlantis"),
        *(practice(n) for n in range(40, 90)),
    )
    assert any(
        e.startswith("records.jsonl, line 31: note: country: fn:country cannot use 'Atlantis'")
        for e in report.examples
    )


def test_a_refused_record_is_named_behind_any_number_of_notes(small: Small) -> None:
    report = small.run(*(practice(n) for n in range(60)), practice("x", title="?"))
    assert report.warnings >= 60 and any(
        e.startswith("records.jsonl, line 61: A title of 3") for e in report.examples
    )


def test_fields_that_are_neither_mapped_nor_ignored_are_counted(
    make_source, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    source = make_source(more="", input='[ignore]\nnoise = "always the same"\n')
    small = Small(tmp_path, source, ontology)
    deep = {"inner": {"leaf": 1}, "list": [{"leaf": 1}, [{"other": 2}]]}
    report = small.run(practice(1, noise="x", odd=["y"], **deep), practice(2, odd="z", nothing=None))
    assert report.unmapped == {"odd": 2, "inner.leaf": 1, "list.leaf": 1, "list.other": 1}


def test_a_preview_tells_the_same_as_the_ingest(small: Small) -> None:
    records = [practice(1), b"{broken", practice(2, title="x"), practice(1), practice(3, odd=1)]
    path = write_lines(small.folder / "p.jsonl", *records)
    seen, lines = preview(small.source, str(path), small.folder / "data", small.ontology)
    report = small.run(*records)
    for name in ("read", "in_scope", "landed", "quarantined", "warnings", "unmapped"):
        assert getattr(seen, name) == getattr(report, name), name
    assert len(lines) == report.quads


# ------------------------------------------------------------------------------------------------ keys and values


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("plain", "plain"),
        ("with blank", "with-blank"),
        ("@id", "id"),
        ("a:b", "a-b"),
        ("lead_organisation:name", "lead_organisation-name"),
        ("2021", "2021"),
        ("größe", "große"),
        ("Ω", "Ω"),
        ("!?", "x"),
        ("", "x"),
        ("> <http://evil> <x", "http-evil-x"),
    ],
)
def test_keys_become_plain_names(key: str, name: str) -> None:
    assert facade.slug(key) == name
    assert [path for path, _ in facade.paths({key: 1})] == [name]
    store = ox.Store()
    store.load("".join(facade.raw_graph(0, {key: "v"}, {})).encode(), ox.RdfFormat.N_TRIPLES)
    assert ox.NamedNode(facade.RAW + name) in {q.predicate for q in store}


def test_keys_that_become_the_same_name_are_numbered(small: Small) -> None:
    fields = {"a b": 1, "a:b": 2, "a-b": 3}
    assert list(facade.paths(fields)) == [("a-b", 1), ("a-b-2", 2), ("a-b-3", 3)]


def test_nested_objects_stay_apart_however_deep_the_lists() -> None:
    lines = list(facade.raw_graph(0, {"a": [{"x": 1}, [{"x": 2}, [{"x": 3}]], 4, None]}, {}))
    nodes = [line.split(" ")[0] for line in lines if f"<{facade.RAW}x>" in line]
    assert len(set(nodes)) == 3
    assert sum(f"<{facade.RAW}a>" in line for line in lines) == 4


TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
HOSTILE = [
    'a quote " and \\ a backslash \\" at the end \\',
    "line\nbreak\r\n\ttab",
    "<https://a.example.org/> . <x> <y> <z> .",
    "line\u2028sep\u2029par\u0085nel\x0b\x0c\x1c\x1d\x1e",
    "right \u202eto\u202c left \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "emoji 😀, last \U0010ffff, none \ufffe \uffff, zero\u200bwidth",
    "controls \x01\x02\x1b\x7f\x9f",
    "'''\"\"\" $x ?y {} } UNION { ?s ?p ?o } # remark",
    "\\u0041 \\n \\x00 %00 &amp; <b>",
    "<urn:dhu:record:0:https://w3id.org/dhu/id/practice/small-0>",
    f"a <{TYPE}> <{NS}GoodPractice> . <{TYPE}> b",
    f"a <{TYPE}> <{NS}GoodPractice>",
    "e\u0301 is not é here",
    "x" * 100_000,
]


def test_hostile_texts_come_back_as_they_were_and_harm_no_other_record(small: Small) -> None:
    report = small.run(*(practice(n, words=[text]) for n, text in enumerate(HOSTILE)), practice("last"))
    assert (report.landed, report.quarantined) == (len(HOSTILE) + 1, 0)
    graph = small.graph()
    for number, text in enumerate(HOSTILE):
        found = graph.quads_for_pattern(
            ox.NamedNode(f"https://w3id.org/dhu/id/practice/small-{number}"), KEYWORD, None, None
        )
        assert [q.object.value for q in found] == [text], number
    resources = {
        q.subject.value
        for q in graph.quads_for_pattern(None, ox.NamedNode(TYPE), ox.NamedNode(NS + "GoodPractice"), None)
    }
    assert len(resources) == len(HOSTILE) + 1


def test_hostile_identifiers_stay_apart_and_come_back(small: Small) -> None:
    hostile = [text for text in HOSTILE if text.strip()]
    report = small.run(
        *(practice("n", id=text) for text in hostile), practice("n", id=7), practice("n", id=True)
    )
    assert report.landed == len(hostile) + 2
    assert set(small.retrieved()) == {*(text.strip() for text in hostile), "7", "True"}


def test_hostile_values_of_every_type_harm_no_other_record(small: Small) -> None:
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        1e300,
        10**30,
        [],
        {},
        [[]],
        [None],
        {"a": None},
        "",
        " ",
        [{"title": "x"}],
        {"is": "Record"},
    ]
    report = small.run(
        *(practice(n, words=value, start=value) for n, value in enumerate(values)), practice("last")
    )
    assert report.landed + report.quarantined == len(values) + 1 and "Practice last" in small.titles()
    assert report.quarantined == 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("ASK { ?s ?p ?o }", "not a CONSTRUCT"),
        ("DELETE WHERE { ?s ?p ?o }", "does not parse"),
        ("CONSTRUCT { ?r a dhu:Need } WHERE { ?r raw:is raw:Record }", "belongs to no record"),
        (
            "CONSTRUCT { <https://a.example.org/x> a dhu:Need } WHERE { ?r raw:is raw:Record }",
            "belongs to no record",
        ),
        ("CONSTRUCT { _:x a dhu:Need } WHERE { ?r raw:is raw:Record }", "belongs to no record"),
        (
            "CONSTRUCT { ?s a dhu:Need } WHERE { service silent <http://127.0.0.1:1/> { ?s ?p ?o } }",
            "uses SERVICE",
        ),
        (
            "CONSTRUCT { ?s a dhu:Need } WHERE { \\u0053ERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
            "uses SERVICE",
        ),
        (
            "CONSTRUCT { ?s a dhu:Need } WHERE { ?s a <urn:x#> . SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
            "uses SERVICE",
        ),
        (
            "CONSTRUCT { ?s a dhu:Need } WHERE { ?s ?p '\"' SERVICE <http://127.0.0.1:1/> { ?s ?q '\"' } }",
            "uses SERVICE",
        ),
        ("CONSTRUCT { ?s a nope:Need } WHERE { ?s ?p ?o }", "does not parse"),
    ],
)
def test_a_map_that_cannot_be_used_is_bad_input_and_lands_nothing(
    query: str,
    words: str,
    make_source,
    ontology: Ontology,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    small = Small(tmp_path, make_source(map=query), ontology)
    with pytest.raises(BadInput, match=words):
        small.run(practice(1))
    assert not small.state.graph.exists()


def test_the_word_service_in_a_text_or_a_remark_is_no_service(
    make_source, ontology: Ontology, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    from small_sources import SMALL_MAP

    words = """dcat:keyword ?word , "service"@en , '''a "service" here''' , <urn:dhu:service>"""
    map = "# a SERVICE is what this is about\n" + SMALL_MAP.replace("dcat:keyword ?word", words)
    source = make_source(map=map)
    assert Small(tmp_path, source, ontology).run(practice(1)).landed == 1


def test_another_base_changes_every_iri_of_ours(make_source, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from dhu_graph import ontology as module

    small = Small(tmp_path, make_source(), module.load("https://radar.example.org/"))
    small.run(practice(1))
    assert b"https://w3id.org/dhu/" not in b"".join(quads.read(small.state.graph))
