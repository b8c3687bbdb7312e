"""The links of a release: which there are, by source, and what the last checks say of them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyoxigraph as ox

from dhu_graph.ontology import DCT, Ontology
from dhu_graph.quality.book import Book, Link
from dhu_graph.quality.checker import Checker
from dhu_graph.quality.measurement import Measurement

_FOAF = "http://xmlns.com/foaf/0.1/"

Progress = Callable[[str, int, int], None]


def of_source(store: ox.Store, source: str, ontology: Ontology) -> list[str]:
    """The web addresses that a source gives for pages: of resources, of organisations, and cited ones; sorted."""
    graph = ox.NamedNode(ontology.iri(f"graph/{source}"))
    predicates = (
        "http://www.w3.org/ns/dcat#landingPage",
        _FOAF + "homepage",
        _FOAF + "page",
        ontology.iri("ns#contactPage"),
        DCT + "source",
    )
    return sorted(
        {
            quad.object.value
            for predicate in predicates
            for quad in store.quads_for_pattern(None, ox.NamedNode(predicate), None, graph)
            if isinstance(quad.object, ox.NamedNode)
            and quad.object.value.startswith(("http://", "https://"))
            # Addresses of this radar lead back to it.
            and not quad.object.value.startswith(ontology.base)
        }
    )


def check(
    data: Path, urls: Iterable[str], limit: int | None, checker: Checker, progress: Progress | None = None
) -> Iterator[Link]:
    """Checks up to `limit` addresses, those first that were never checked or longest ago, and notes each at once."""
    with Book(data) as book:
        wanted = set(urls)
        known = book.of(wanted)
        chosen = sorted(wanted, key=lambda url: (known[url].checked if url in known else "", url))[:limit]
        for done, seen in enumerate(checker.run(chosen), 1):
            if progress:
                progress("links", done, len(chosen))
            if seen.state != "waits":  # not asked: what is known of it stands
                yield book.put(seen, datetime.now(UTC))


def figures(data: Path, source: str, urls: Callable[[], Iterable[str]]) -> list[Measurement]:
    """What the checks say of the links of a source, with the time of the latest; nothing where none was checked.

    `urls` is asked only where anything was ever checked.
    """
    if not (data / "quality" / "links.sqlite").is_file():
        return []
    wanted = set(urls())
    with Book(data) as book:
        known = [link for link in book.of(wanted).values() if link.known]
    if not known:
        return []
    latest = max(link.checked for link in known)
    broken = sum(link.state == "broken" for link in known)
    return [
        Measurement(source, "links-broken", str(broken), most=len(known), checked=latest),
        Measurement(source, "links-checked", str(len(known)), most=len(wanted), checked=latest),
    ]
