"""Whether a client wants a page or data, by its Accept header (RFC 9110, 12.5.1)."""

from dhu_graph.sparql import formats

_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_DATA = frozenset(
    name for form in (*formats.RESULTS, *formats.GRAPHS) for name in (form.media_type, *form.aliases)
) | {"application/problem+json"}


def wants_page(accept: str | None) -> bool:
    """Whether a page is named, and no data above it: with a higher q, or the same and further left.

    Stars do not count, so that `curl` and libraries, which send `*/*`, get data.
    """
    named = [
        (quality, name) for name, quality in _ranges(accept or "") if quality > 0 and name in _PAGES | _DATA
    ]
    # max() keeps the first of equals.
    return bool(named) and max(named, key=lambda pair: pair[0])[1] in _PAGES


def _ranges(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        found.append((name, quality))
    return found
