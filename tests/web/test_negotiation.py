"""Who gets a page and who gets data."""

import pytest

from dhu_graph.web.negotiation import wants_page


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (None, False),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("text/html", True),
        ("TEXT/HTML;Level=1", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", True),
        ("text/html, text/turtle;q=0.9", True),
        ("text/turtle, text/html;q=0.9", False),
        ("text/html;q=0.1, application/rdf+xml", False),
        ("application/json, text/html", False),
        ("text/html, application/json", True),
        ("text/html;q=0", False),
        ("text/html;q=x", False),
        ("image/png, text/html;q=0.2", True),
        (",;;,=", False),
    ],
)
def test_the_accept_header_decides(accept: str | None, page: bool) -> None:
    assert wants_page(accept) is page
