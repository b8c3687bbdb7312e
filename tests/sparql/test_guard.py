"""What the guard lets through and what it refuses, before anything is parsed."""

import time

import pytest

from dhu_graph.errors import QueryRejected
from dhu_graph.settings import Settings
from dhu_graph.sparql import check

SETTINGS = Settings()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT ?x { ?s ?p ?o } }",
        "SELECT * { \\u0053ERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "SELECT * { SERV\\U00000049CE <http://127.0.0.1:1/> { ?s ?p ?o } }",
        "PREFIX ex: <http://x/> SELECT * { SERVICEex:a { ?s ?p ?o } }",
        "PREFIX ex: <http://x/> SELECT * { ?a ?p ?b FILTER(?a<?b)SERVICE ex:y #>\n { ?s ?p ?o } }",
        "select * { service<http://x/>{ ?s ?p ?o } }",
        "SELECT * { ?s ?p trueSERVICE<http://x/>{ ?s ?p ?o } }",
        "SELECT * { #\rSERVICE <http://x/> {}\n }",
        "SELECT * { FILTERex:f(?a<'>' && EXISTS { SERVICE <http://x/> { ?s ?p ?o } } && ?b > 'x') }",
        "SELECT * { FILTER(?o<<http://x#>&&EXISTS{SERVICE<http://x/>{?s ?p ?o}}\n) }",
        "SELECT * { ?s ?p ex:a\\#b . SERVICE <http://x/> { ?s ?p ?o } }",
    ],
)
def test_service_is_refused_however_it_is_hidden(query: str) -> None:
    with pytest.raises(QueryRejected, match="SERVICE is not offered"):
        check(query, SETTINGS)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ?service { ?service ?p "SERVICE { ( [" }',
        "SELECT * { ?s <http://x/SERVICE/y> ?o } # SERVICE <http://x/>",
        "SELECT * { ?s ?p '''INSERT DATA { SERVICE''' }",
        "SELECT * { ?s ?p ?o FILTER(?a<?b&&?c>?d) }",
        "SELECT * { ?s <http://x/a(b)c> ?o }",
        "SELECT * { ?s <http://x/L'Aquila_(town)> 'SERVICE' }",
        "PREFIX service: <http://s/> SELECT * { GRAPH service:a { ?s service:b service:c } }",
        "\\u0053ELECT * { ?s ?p '\\u0022' }",
        "SELECT * { ?s ?p ex:a.?s ?p ex:b\\. }",
        'SELECT * { ?s ?p \'it\\\'s { # no\' . ?s ?p """a"b""{""" }',
        "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s !(a|^<x:p>) ?o ; (<x:a>/<x:b>)* (1 2 [ ?p << ?a ?b ?c >> ]) }",
        "SELECT * { { SELECT ?a (1 AS ?b) (?a<?c AS ?d) { ?a ?p ?c } GROUP BY ?a ORDER BY (?a) } (1) ?p ?o }",
        "SELECT * { ?s ?p <<( ?a ?b (1 2) )>> {| ?q 'x'@en-GB ; ?r -1.5e3 |} FILTER(?o != <<( ?a ?b 1 )>>) }",
    ],
)
def test_words_and_brackets_inside_texts_and_addresses_do_not_count(query: str) -> None:
    assert check(query, SETTINGS).form == "SELECT"


@pytest.mark.parametrize(
    "query",
    [
        "INSERT DATA { <a:a> <b:b> <c:c> }",
        "prefix a: <http://a/> DELETE WHERE { ?s ?p ?o }",
        "LOAD <http://x/>",
        "CLEAR ALL",
    ],
)
def test_updates_are_told_that_this_endpoint_only_reads(query: str) -> None:
    with pytest.raises(QueryRejected, match="only reads"):
        check(query, SETTINGS)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "no query"),
        ("# SELECT", "no query"),
        ("WHERE { ?s ?p ?o }", "starts no query"),
        ("SELECT * { " + "{" * 2200 + "}" * 2200 + " }", "nested more than 64 deep"),
        ("SELECT * { ?s ?p ?o FILTER" + "(" * 5000, "nested"),
        ("SELECT * { ?s ?p ?o FILTER(?a<" + "(" * 5000 + ")>", "nested"),
        ("SELECT * { ?s ?p " + "[:p " * 100, "nested"),
        ("SELECT * { " + " UNION ".join(["{}"] * 5000) + " }", "patterns"),
        ("SELECT * { FILTER(" + "!" * 5000 + "true) }", "operators"),
        ("SELECT * { FILTER(" + "!(" * 30 + "*" + ")" * 30 + ") }", "within one another"),
        ("SELECT * { FILTER(" + "! str(" * 30 + "*" + ")" * 30 + ") }", "within one another"),
        ("SELECT (" + "REPLACE(1," * 30 + "*" + ", 1)" * 30 + " AS ?x) { }", "within one another"),
        ("SELECT * { " + "FILTER(!EXISTS { " * 30 + "})" * 30 + " }", "within one another"),
        ("SELECT * { FILTER(" + "||".join(["?a"] * 5000) + ") }", "operators"),
        ("SELECT * { ?s " + "/".join(["<x:p>"] * 500) + " ?o }", "joined"),
        ("SELECT * { ?s " + "|".join(["<x:p>"] * 5000) + " ?o }", "operators"),
        ("SELECT * { ?s ?p " + ",".join(["?o"] * 300) + " }", "joined"),
        ("SELECT * { ?s ?p (" + " 1" * 300 + ") }", "joined"),
        ("SELECT * { " + "OPTIONAL { ?s ?p ?o } " * 300 + " }", "joined"),
        ("SELECT * { " + "BIND(1 AS ?x) " * 600 + " }", "clauses"),
        ("SELECT " + "(1 AS ?x) " * 1100 + "{}", "computed columns"),
        ("DESCRIBE " + "<x:a> " * 5000, "described"),
        ("SELECT * { VALUES ?x { " + "1 " * 22_000 + "} }", "terms"),
        ("SELECT * { ?s ?p '" + "x" * 60_000 + "' }", "characters"),
        ("SELECT * { ?s ?p '\0' }", "NUL"),
        ("SELECT * { ?s ?p '\ud800' }", "surrogate"),
        ("SELECT * { ?s ?p \\uD800 }", "no character"),
        ("SELECT * { ?s ?p 'open }", "never closed"),
        ("SELECT * {\n  ( ?s }", "line 2, column 8 closes"),
        ("SELECT * { ?a ?b ?c FILTER(?a<?b }", "closes"),
        ("SELECT * { ?a ?b <ex:f('>') }", "odd signs"),
    ],
)
def test_what_could_end_the_process_is_refused_with_words(query: str, words: str) -> None:
    with pytest.raises(QueryRejected, match=words):
        check(query, SETTINGS)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { ?s ?p ?o FILTER(?o IN (" + ",".join(["<x:a>"] * 7000) + ")) }",
        "SELECT * { VALUES (?x ?y) {" + "(1 2)" * 5000 + "} ?x ?p ?y }",
        "SELECT * { " + " UNION ".join(["{ ?s <x:a> ?o . ?o <x:b> ?c }"] * 100) + " }",
        "SELECT * { ?s a <x:T> " + "".join(f"OPTIONAL {{ ?s <x:p{i}> ?o{i} }} " for i in range(60)) + "}",
        "SELECT * { " + "{" * 60 + "}" * 60 + " }",
    ],
)
def test_what_people_and_programs_write_stays_below_the_limits(query: str) -> None:
    assert check(query, SETTINGS)


@pytest.mark.parametrize(
    "hostile", ["a-" * 24_000, '"' + '\\"' * 24_000, "<" * 48_000, "'''" + "\\'" * 20_000, "::" * 24_000]
)
def test_a_text_that_invites_backtracking_is_read_in_linear_time(hostile: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(QueryRejected):
        check("SELECT * { \\u0020" + hostile, SETTINGS)
    assert time.perf_counter() - begun < 1


def test_what_is_run_is_what_was_looked_at() -> None:
    assert check("\\u0041SK { } # SERVICE \\u007B", SETTINGS).text.rstrip() == "ASK { }"


@pytest.mark.parametrize(
    ("query", "dataset"),
    [
        ("SELECT * FROM <x:g> { }", True),
        ("SELECT*FROMex:g{ }", True),
        ("ASKFROM<x:g>{ }", True),
        ("CONSTRUCT { ?s ?p ?o } FROM NAMED <x:g> WHERE { ?s ?p ?o }", True),
        ("DESCRIBE from:a", False),
        ("SELECT * { ?s ?p 'FROM' . ?s from:a ?FROM }", False),
        ("SELECT * { ?s ?p ?o } ORDER BY from:f(?s)", False),
    ],
)
def test_a_query_that_names_its_graphs_is_known(query: str, dataset: bool) -> None:
    assert check(query, SETTINGS, {"ex", "from"}).dataset is dataset


def test_an_undeclared_prefix_is_named_with_its_place() -> None:
    with pytest.raises(QueryRejected, match="`nope:` at line 2, column 4 is not declared"):
        check("PREFIX ex: <x:> SELECT * {\n?s nope:p ex:o ; dhu:p 1 }", SETTINGS, {"dhu"})


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("ASK {}", "ASK"),
        ("prefix select: <x:> construct where {}", "CONSTRUCT"),
        ("BASE <http://a/> describe <b>", "DESCRIBE"),
        ('VERSION "1.2" PREFIXa:<x:>SELECTDISTINCT?s{}', "SELECT"),
    ],
)
def test_the_form_is_found(query: str, form: str) -> None:
    assert check(query, SETTINGS).form == form
