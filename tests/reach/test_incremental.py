"""What has not changed costs next to nothing; what has changed is redone alone."""

import json
from pathlib import Path

import pytest

from dhu_graph import ontology, sources
from dhu_graph.errors import BadInput
from dhu_graph.ingest import Report, State, ingest

ROOT = Path(__file__).resolve().parents[2]


def source_in(folder: Path, records: list[object], minimum: int = 1) -> sources.Source:
    """A source like the starter, with these lines (dicts, or bytes as they are)."""
    folder.mkdir(exist_ok=True)
    (folder / "map.rq").write_text((ROOT / "ingest/starter/map.rq").read_text())
    toml = (ROOT / "ingest/starter/source.toml").read_text()
    (folder / "source.toml").write_text(
        toml.replace("min = 400", f"min = {minimum}").replace('shipped = "catalogue"', "")
    )
    lines = (
        r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode("utf-8", "surrogatepass")
        for r in records
    )
    (folder / "all.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return sources.load("test", folder)


def record(number: int, **fields: object) -> dict[str, object]:
    base: dict[str, object] = {
        "id": f"r{number}", "kind": "practice", "title": f"Practice {number}", "countries": ["FR"], "themes": ["telemedicine"],
        "description": f"A practice of which nothing else is known, number {number}.", "scope": "national",
    }  # fmt: skip
    return {**base, **fields}


def run(folder: Path, records: list[object], minimum: int = 1, **how: int) -> tuple[Report, State]:
    source = source_in(folder / "source", records, minimum)
    report = ingest(source, str(folder / "source"), folder / "data", ontology.load(), **how)  # type: ignore[arg-type]
    return report, State(folder / "data/sources/test")


def graph(state: State) -> str:
    import gzip

    return gzip.decompress(state.graph.read_bytes()).decode()


def test_an_unchanged_source_is_not_read_again(tmp_path: Path) -> None:
    run(tmp_path, [record(n) for n in range(3)])
    report, _ = run(tmp_path, [record(n) for n in range(3)])
    assert report.unchanged


def test_only_a_changed_record_is_redone_and_the_others_keep_their_time(tmp_path: Path) -> None:
    _, state = run(tmp_path, [record(n) for n in range(5)])
    before = graph(state)
    report, state = run(tmp_path, [record(0, title="Changed"), *(record(n) for n in range(1, 5))])
    assert (report.landed, report.reused) == (5, 4)
    kept = [
        line
        for line in before.splitlines()
        if "r0" not in line and "primaryTopic" not in line and "/record/" not in line
    ]
    assert set(kept) <= set(graph(state).splitlines())
    assert '"Changed"@en' in graph(state) and '"Practice 0"@en' not in graph(state)


def test_a_record_that_is_gone_leaves_the_graph(tmp_path: Path) -> None:
    run(tmp_path, [record(n) for n in range(3)])
    _, state = run(tmp_path, [record(n) for n in range(2)])
    assert "test-r2" not in graph(state) and "test-r1" in graph(state)


def test_bad_lines_are_quarantined_and_the_others_land(tmp_path: Path) -> None:
    deep: object = "x"
    for _ in range(30):
        deep = {"a": deep}
    bad: list[object] = [
        b'{"id": "broken", ',
        b"[1, 2]",
        b'{"id": "nan", "x": NaN}',
        b'{"id": "latin", "title": "caf\xe9"}',
        b'{"id": "nul", "title": "a\\u0000b"}',
        b'{"id": "half", "title": "a\\ud800b"}',
        {"kind": "practice", "title": "No identifier"},
        {"id": "deep", "deep": deep},
        b'{"id": "long", "title": "' + b"x" * 6_000_000 + b'"}',
        record(1, title="The same identifier again"),
        {
            "id": "unknown-kind",
            "kind": "spaceship",
            "title": "Unknown kind",
            "description": "Nothing here knows this kind.",
        },
        record(7, start_year=2020, end_year=2010),
    ]
    report, state = run(tmp_path, [record(1), *bad, record(2)])
    entries = [json.loads(line) for line in state.quarantine.read_text().splitlines()]
    assert (report.landed, report.quarantined) == (2, len(bad)) == (2, len(entries))
    assert {"test-r1>", "test-r2>"} <= {
        w.rsplit("/", 1)[-1] for w in graph(state).split() if "/id/practice/" in w
    }
    assert all(entry["reasons"] and entry["where"].startswith("all.jsonl, line") for entry in entries)


@pytest.mark.parametrize(
    "text",
    [
        '"quoted" \\ back',
        "line\nbreak\r\n",
        "<b>&amp;</b>",
        "\u2028para\u2029",
        "\u202eright to left",
        "} UNION { ?s ?p ?o",
        "a\tb",
    ],
)
def test_hostile_texts_stay_texts(tmp_path: Path, text: str) -> None:
    report, state = run(tmp_path, [record(1, title=f"Title {text} end", partners=[text]), record(2)])
    assert report.landed == 2
    import pyoxigraph as ox

    store = ox.Store()
    store.load(graph(state).encode(), ox.RdfFormat.N_QUADS)
    titles = [
        str(q.object.value)
        for q in store.quads_for_pattern(None, ox.NamedNode("http://purl.org/dc/terms/title"), None, None)
    ]
    assert any(t.startswith("Title") and t.endswith("end") for t in titles)


def test_a_count_out_of_bounds_keeps_the_previous_graph(tmp_path: Path) -> None:
    _, state = run(tmp_path, [record(n) for n in range(5)], minimum=3)
    before = graph(state)
    report, state = run(tmp_path, [record(0)], minimum=3)
    assert report.kept_previous and report.findings
    assert graph(state) == before


def test_a_first_run_out_of_bounds_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expects 3"):
        run(tmp_path, [record(0)], minimum=3)


def test_what_is_neither_mapped_nor_ignored_is_reported(tmp_path: Path) -> None:
    report, _ = run(tmp_path, [record(1, colour="blue", lead={"name": "X", "kind": "company", "age": 3})])
    assert report.unmapped == {"colour": 1, "lead.age": 1}


def test_a_function_that_cannot_use_a_value_names_the_record(tmp_path: Path) -> None:
    report, _ = run(tmp_path, [record(1), record(2, countries=["Atlantis"])])
    assert report.landed == 2
    assert any("line 2" in example and "Atlantis" in example for example in report.examples)


def test_helpers_make_the_same_graph(tmp_path: Path) -> None:
    records: list[object] = [record(n) for n in range(700)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, one = run(tmp_path / "a", records, processes=1)
    _, two = run(tmp_path / "b", records, processes=2)
    strip = lambda text: [line for line in text.splitlines() if "firstRetrieved" not in line]  # noqa: E731
    assert strip(graph(one)) == strip(graph(two))


def test_a_damaged_cache_is_set_aside(tmp_path: Path) -> None:
    _, state = run(tmp_path, [record(1)])
    for path in state.folder.glob("cache.sqlite*"):
        path.write_bytes(b"this is no database" * 100)
    report, state = run(tmp_path, [record(1), record(2)])
    assert report.landed == 2
    assert list(state.folder.glob("*.damaged"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * WHERE { ?s ?p ?o }", "not a CONSTRUCT"),
        ("CONSTRUCT { ?r dct:title 'x' } WHERE { ?r raw:is raw:Record }", "belongs to no record"),
        ("CONSTRUCT { [] dct:title 'x' } WHERE { ?r raw:is raw:Record }", "belongs to no record"),
        (
            "CONSTRUCT { ?s dct:title 'x' } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
            "uses SERVICE",
        ),
        ("CONSTRUCT { ?s dct:title 'x' WHERE", "does not parse"),
    ],
)
def test_a_wrong_map_says_what_is_wrong(tmp_path: Path, query: str, words: str) -> None:
    source_in(tmp_path / "source", [record(1)])
    (tmp_path / "source/map.rq").write_text(query)
    with pytest.raises(BadInput, match=words):
        ingest(
            sources.load("test", tmp_path / "source"),
            str(tmp_path / "source"),
            tmp_path / "data",
            ontology.load(),
        )


def test_a_property_that_the_ontology_does_not_have_is_refused(tmp_path: Path) -> None:
    source_in(tmp_path / "source", [record(1)])
    path = tmp_path / "source/map.rq"
    path.write_text(path.read_text().replace("dhu:startYear ?start", "dhu:starYear ?start"))
    with pytest.raises(BadInput, match="dhu:starYear"):
        ingest(
            sources.load("test", tmp_path / "source"),
            str(tmp_path / "source"),
            tmp_path / "data",
            ontology.load(),
        )


def test_a_failure_on_a_computed_value_is_reported_too(tmp_path: Path) -> None:
    source_in(tmp_path / "source", [record(1)])
    path = tmp_path / "source/map.rq"
    path.write_text(
        path.read_text().replace('fn:concept("theme", ?x)', 'fn:concept("theme", CONCAT("no-", ?x))')
    )
    report = ingest(
        sources.load("test", tmp_path / "source"),
        str(tmp_path / "source"),
        tmp_path / "data",
        ontology.load(),
    )
    assert any("no-telemedicine" in example for example in report.examples)


@pytest.mark.parametrize(
    ("key", "name"),
    [("País", "Pais"), ("N.º", "N-o"), ("Χώρα", "Χωρα"), (" @a:b c ", "a-b-c"), ("2022", "2022")],
)
def test_keys_become_names_that_a_map_can_write(tmp_path: Path, key: str, name: str) -> None:
    import pyoxigraph as ox

    from dhu_graph.ingest.facade import raw_graph, slug

    assert slug(key) == name
    store = ox.Store()
    store.load("".join(raw_graph(0, {key: "v"}, {})).encode(), ox.RdfFormat.N_TRIPLES)
    assert store.query(f"PREFIX raw: <urn:dhu:raw:> ASK {{ ?r raw:{name} 'v' }}")


@pytest.mark.parametrize(
    "shapes",
    [
        "<x:s> a sh:NodeShape ; sh:targetClass <x:c> ; sh:closed true .",
        "<x:s> a sh:NodeShape ; sh:targetClass <x:c> ; sh:property [ sh:path ( <x:p> <x:q> ) ; sh:minCount 1 ] .",
        "<x:s> a sh:NodeShape ; sh:targetClass <x:c> ; sh:property [ sh:path [ sh:inversePath <x:p> ] ; sh:minCount 1 ] .",
    ],
)
def test_shapes_that_see_more_than_single_predicates_are_given_every_line(shapes: str) -> None:
    from dhu_graph.ingest.validation import looked_at

    assert looked_at("@prefix sh: <http://www.w3.org/ns/shacl#> . " + shapes) is None


def test_the_predicates_that_our_shapes_look_at_are_known() -> None:
    from dhu_graph.ingest.validation import looked_at

    found = looked_at(ontology.load().shapes)
    assert found is not None
    assert {"<https://w3id.org/dhu/ns#endYear>", "<http://purl.org/dc/terms/title>"} <= found
    assert "<https://w3id.org/dhu/ns#supports>" not in found
