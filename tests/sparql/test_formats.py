"""Content negotiation: what a client asks for is what it gets, or it is told what there is."""

import pytest

from dhu_graph.sparql import NotAcceptable, negotiate


@pytest.mark.parametrize(
    ("form", "accept", "media_type"),
    [
        ("SELECT", None, "application/sparql-results+json"),
        ("SELECT", "*/*", "application/sparql-results+json"),
        ("SELECT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml"),
        ("SELECT", "text/csv;q=0.5, text/tab-separated-values", "text/tab-separated-values"),
        ("SELECT", "application/json", "application/json"),
        ("CONSTRUCT", "application/ld+json, text/turtle;q=0.9", "application/ld+json"),
        ("DESCRIBE", "text/*", "text/turtle"),
        ("ASK", "application/sparql-results+xml;q=nonsense, text/csv", "text/csv"),
    ],
)
def test_the_best_of_what_is_accepted_is_chosen(form: str, accept: str | None, media_type: str) -> None:
    assert negotiate(form, accept).media_type == media_type  # type: ignore[arg-type]


def test_a_named_format_wins_over_the_header() -> None:
    assert negotiate("SELECT", "application/json", "csv").media_type == "text/csv"


@pytest.mark.parametrize(
    ("form", "accept"),
    [("SELECT", "text/turtle"), ("CONSTRUCT", "text/csv"), ("SELECT", "image/png;q=1, */*;q=0")],
)
def test_nothing_that_fits_is_a_406_naming_what_there_is(form: str, accept: str) -> None:
    with pytest.raises(NotAcceptable, match="cannot carry the answer") as caught:
        negotiate(form, accept)  # type: ignore[arg-type]
    assert caught.value.status == 406
    assert "Ask for one of these" in caught.value.hint
