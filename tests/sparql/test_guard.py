"""What the guard lets through and what it refuses, before anything is parsed."""

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
        ("", "empty"),
        ("# SELECT", "no SELECT"),
        ("SELECT * { " + "{" * 101 + "}" * 101 + " }", "nested"),
        ("SELECT * { ?s ?p ?o FILTER" + "(" * 5000, "nested"),
        ("SELECT * { ?s ?p ?o FILTER(?a<" + "(" * 5000 + ")>", "nested"),
        ("SELECT * { " + " UNION ".join(["{}"] * 1600) + " }", "operators"),
        ("SELECT * { FILTER(" + "!" * 5000 + "true) }", "operators"),
        ("SELECT * { ?s ?p '" + "x" * 60_000 + "' }", "characters"),
        ("SELECT * { ?s ?p '\0' }", "NUL"),
        ("SELECT * { ?s ?p '\ud800' }", "half a character"),
    ],
)
def test_what_could_end_the_process_is_refused_with_words(query: str, words: str) -> None:
    with pytest.raises(QueryRejected, match=words):
        check(query, SETTINGS)


@pytest.mark.parametrize(
    ("query", "form"),
    [
        ("ASK {}", "ASK"),
        ("prefix select: <x:> construct where {}", "CONSTRUCT"),
        ("BASE <http://a/> describe <b>", "DESCRIBE"),
    ],
)
def test_the_form_is_found(query: str, form: str) -> None:
    assert check(query, SETTINGS).form == form
