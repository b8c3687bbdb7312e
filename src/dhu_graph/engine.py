"""The Python API: `Engine` brings sources in, builds releases, opens the current one and answers from it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from dhu_graph import evaluation as evaluation_module
from dhu_graph import ontology as ontology_module
from dhu_graph import queries as queries_module
from dhu_graph import settings as settings_module
from dhu_graph import sources as sources_module
from dhu_graph.contributions import Desk
from dhu_graph.errors import DhuError, ReleaseError, Replaced, UnknownName, UsageError
from dhu_graph.ingest import Report, State
from dhu_graph.ingest import ingest as run_ingest
from dhu_graph.ingest import preview as run_preview
from dhu_graph.model import FILTER_COLUMNS, Filter, Hit
from dhu_graph.ontology import OP_COUNTRY, Ontology
from dhu_graph.releases import Release, Shelf
from dhu_graph.releases import build as run_build
from dhu_graph.resources import Resource, Resources
from dhu_graph.settings import Settings

if TYPE_CHECKING:
    import rdflib

    from dhu_graph.embedding import Embedder
    from dhu_graph.index import Index
    from dhu_graph.link import Decision, Linked, Linker
    from dhu_graph.quality import Measurement
    from dhu_graph.quality.book import Link
    from dhu_graph.search import Answer as SearchAnswer
    from dhu_graph.search import Names, Reader, Searcher, Suggester, Suggestion
    from dhu_graph.sparql import Answer, QueryPool

_NUTS = "http://data.europa.eu/nuts/scheme/"
_SCHEMES = {
    "country": OP_COUNTRY,
    "theme": "theme",
    "technology": "technology",
    "maturity": "maturity",
    "target": "target-group",
    "audience": "audience",
}

Progress = Callable[[str, int, int], None]
"""Told (step, done, total); total is 0 where it is not known."""


@dataclass
class Opened:
    """A release opened for reading. Several threads may use it at once."""

    release: Release
    index: "Index"
    searcher: "Searcher"
    resources: Resources
    start_pool: "Callable[[], QueryPool]"
    users: int = 0
    _pool: "QueryPool | None" = None
    _suggester: "Suggester | None" = None
    _starting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def pool(self) -> "QueryPool":
        """The query workers, started when first asked for: a search on the command line needs none."""
        with self._starting:
            if self._pool is None:
                self._pool = self.start_pool()
            return self._pool

    def iris(self) -> Iterator[str]:
        """The IRIs of all documents, by row."""
        return (self.index.documents.get(row).iri for row in range(len(self.index.documents)))

    def warm(self) -> None:
        """Loads the model and starts the query workers, so that the first to ask need not wait."""
        self.searcher.search("health", limit=1)
        self.pool.query("ASK {}").close()

    def suggester(self, make: "Callable[[Opened], Suggester]") -> "Suggester":
        """The suggestions of the release, made at the first that is asked for."""
        with self._starting:
            if self._suggester is None:
                self._suggester = make(self)
            return self._suggester

    def close(self, wait: float = 5.0) -> None:
        """Ends the query workers, if any were started; running queries have `wait` seconds."""
        with self._starting:
            if self._pool:
                self._pool.close(wait)


@dataclass(frozen=True)
class Built:
    """What `ingest` and `build` did: a report per source, errors by source, and the new release, if there is one."""

    reports: tuple[Report, ...]
    release: Release | None
    failed: dict[str, DhuError] = field(default_factory=dict)

    @property
    def findings(self) -> bool:
        """Whether a person should look: quarantined records, a kept graph, or a source that failed."""
        return bool(self.failed) or any(report.findings for report in self.reports)


class Engine:
    """A radar in a data folder. Use as a context manager, or call `close()`.

    with Engine.open(data="dhu-data") as radar:
        radar.build()
        for hit in radar.search("télésurveillance du diabète", Filter.of(country="FRA")):
            print(hit.document.title)
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shelf = Shelf(settings.data)
        self._ontology: Ontology | None = None
        self._embedder: Embedder | None = None
        self._opened: Opened | None = None
        self._lock = threading.Lock()
        self._opening = threading.Lock()

    @classmethod
    def open(cls, data: str | Path | None = None, **settings: Any) -> "Engine":
        """An engine with these settings on top of the environment and `dhu.toml`. Builds and opens nothing yet."""
        return cls(settings_module.load(data=data, **settings))

    def __enter__(self) -> "Engine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, wait: float = 5.0) -> None:
        """Ends the query workers; running queries have `wait` seconds. The engine may be used again."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened.close(wait)

    # ------------------------------------------------------------ what is known without a release

    @property
    def ontology(self) -> Ontology:
        """Terms, labels, concepts and shapes, under the base of this radar."""
        if self._ontology is None:
            self._ontology = ontology_module.load(self.settings.base)
        return self._ontology

    @property
    def embedder(self) -> "Embedder | None":
        """The embedding model that is set, or None where `embed` is off."""
        if self.settings.embed and self._embedder is None:
            from dhu_graph.embedding import open_embedder

            self._embedder = open_embedder(self.settings)
        return self._embedder

    def source(self, name: str) -> sources_module.Source | None:
        """A source of the installation by its name; None for one that was ingested from a folder elsewhere."""
        if name not in self._known_sources:
            return None
        return self._known_sources[name]

    @cached_property
    def _known_sources(self) -> dict[str, sources_module.Source]:
        return {name: sources_module.load(name) for name in sources_module.names()}

    def sources(self) -> list[tuple[sources_module.Source, Report | None]]:
        """Every source with the report of its last run."""
        loaded = [sources_module.load(name) for name in sources_module.names()]
        return [(source, State(self.settings.data / "sources" / source.name).report()) for source in loaded]

    def queries(self) -> list[queries_module.Query]:
        """The query library."""
        return [queries_module.load(name, self.ontology) for name in queries_module.names()]

    @property
    def contributions(self) -> Desk[Built]:
        """What outsiders send in: the template, the checks, the queue, and the decisions, which make releases."""
        return Desk(self.settings, self.ontology, self.ingest)

    # ------------------------------------------------------------ bringing in and building

    def ingest(
        self,
        name: str,
        location: str | None = None,
        *,
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> Built:
        """Brings one source up to date; makes a release if its graph changed.

        `location` is a file, folder or address in place of the source's own; `folder` holds a source that is not
        part of the installation. Raises BadInput, RemoteFailure, UnknownName or Busy.
        """
        source = sources_module.load(name, folder)
        with self.shelf.writing():
            report = self._ingest(source, location, progress)
            return Built((report,), self._release({name: report}, progress))

    def build(self, *, force: bool = False, progress: Progress | None = None) -> Built:
        """Brings every source up to date that ships with the project, and makes a release if anything changed.

        Sources that were ingested from elsewhere keep the graph they have. A source that fails keeps its previous
        graph and is named in `failed`; the others go on.
        """
        reports: dict[str, Report] = {}
        failed: dict[str, DhuError] = {}
        with self.shelf.writing():
            for name in sources_module.names():
                source = sources_module.load(name)
                if not source.shipped:
                    continue
                try:
                    reports[name] = self._ingest(source, None, progress)
                except DhuError as error:
                    failed[name] = error
            return Built(tuple(reports.values()), self._release(reports, progress, force), failed)

    def validate(
        self, name: str, location: str | None = None, *, folder: Path | None = None
    ) -> tuple[Report, list[str]]:
        """What an ingest would do with a file, and the N-Triples it would land; keeps nothing."""
        return run_preview(sources_module.load(name, folder), location, self.settings.data, self.ontology)

    def check(self, name: str, *, folder: Path | None = None) -> list[str]:
        """What a source folder still lacks: what is missing, unlicensed, unmapped or untested; nothing where all is well."""
        from dhu_graph.ingest.checkup import checkup

        return checkup(sources_module.load(name, folder), self.settings.data, self.ontology)

    def _ingest(
        self, source: sources_module.Source, location: str | None, progress: Progress | None
    ) -> Report:
        tell = (lambda done, total: progress(source.name, done, total)) if progress else None
        return run_ingest(source, location, self.settings.data, self.ontology, progress=tell)

    def _release(
        self, fresh: dict[str, Report], progress: Progress | None, force: bool = False
    ) -> Release | None:
        reports = dict(fresh)
        for state in sorted((self.settings.data / "sources").glob("*")):
            report = State(state).report()
            if report and state.name not in reports:
                reports[state.name] = report
        if not reports:
            raise ReleaseError("No source has a graph yet.", "Run `dhu build`, or `dhu ingest SOURCE`.")
        built = run_build(
            self.shelf,
            reports.values(),
            self.ontology,
            self.embedder,
            linker=self._linker({n: report.digest for n, report in reports.items()})
            if self.settings.link
            else None,
            progress=progress,
            force=force,
        )
        if built:
            self._calibrate(built, progress)
        return built

    def _calibrate(self, release: Release, progress: Progress | None) -> None:
        """Fits the confidence of answers to a release, where it holds enough of what the judged questions ask for."""
        if not release.manifest["index"].get("model"):
            return
        if progress:
            progress("calibrate", 0, 0)
        opened = self._open(release)
        try:
            questions = evaluation_module.judged("search", opened.iris(), "open", opened.resources.replaced())
            if fitted := evaluation_module.calibrated(opened.searcher, questions):
                fitted.write(self._confidence_file(release))
        finally:
            opened.close()

    def _confidence_file(self, release: Release) -> Path:
        return self.settings.data / "confidence" / f"{release.manifest['checksum'][:16]}.json"

    def _linker(self, digests: dict[str, str]) -> "Linker":
        from dhu_graph.link import Linker

        known = {name: sources_module.load(name).rank for name in sources_module.names()}
        return Linker(self.settings.data, digests, known, self.ontology, self.embedder)

    # ------------------------------------------------------------ identity

    def links(self) -> "Linked":
        """What linking finds in the graphs as they are: things told of by several records, and pairs for a person."""
        return self._linker(self._digests()).run()

    def decide(
        self, left: str, right: str, verdict: str, note: str = "", *, date: str | None = None
    ) -> "Decision":
        """Writes down what a person says of a pair: `same`, `different` or `undecided`. Then `build()` takes it in.

        `left` and `right` are IRIs, or `kind/slug`; `date` is now where it is left out. Raises UnknownName for a thing
        that the graphs do not hold, UsageError where nothing was decided that could be taken back.
        """
        from dhu_graph.link import Decision, Decisions, latest

        pair = (min(self.iri(left), self.iri(right)), max(self.iri(left), self.iri(right)))
        if verdict == "undecided":
            if pair not in latest(self.decisions()):
                raise UsageError("Nothing was decided about these two.", "`dhu link log` lists what was.")
        else:
            known = self.links().sources
            for name, iri in ((left, self.iri(left)), (right, self.iri(right))):
                if iri not in known:
                    raise UnknownName(
                        f"There is no {name!r} to link.", "`dhu link review` lists pairs with their IRIs."
                    )
        when = date or datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        decision = Decision(when, self.iri(left), self.iri(right), verdict, note)
        with self.shelf.writing():
            Decisions(self.settings.data / "links").add(decision)
        return decision

    def decisions(self) -> "list[Decision]":
        """Every decision of people about pairs, in the order of their dates."""
        from dhu_graph.link import Decisions

        return Decisions(self.settings.data / "links").all()

    def label(self, iri: str) -> str:
        """The title of a resource or organisation in the current release, or its IRI where it has none there."""
        with self.reading() as opened:
            return opened.resources.label(iri)

    def relink(self, progress: Progress | None = None) -> Built:
        """Links the graphs as they are, and makes a release if that changes anything; brings nothing in."""
        with self.shelf.writing():
            return Built((), self._release({}, progress))

    def _digests(self) -> dict[str, str]:
        states = sorted((self.settings.data / "sources").glob("*"))
        reports = {state.name: State(state).report() for state in states}
        return {name: report.digest for name, report in reports.items() if report and report.digest}

    # ------------------------------------------------------------ quality

    def quality(self, source: str | None = None) -> "list[Measurement]":
        """The quality report of the current release, of all sources or of one; links as they were checked last.

        Raises UnknownName for a source that the release does not hold.
        """
        from dhu_graph import quality
        from dhu_graph.quality import links

        with self.reading() as opened:
            store, names = opened.resources.store, self._held(opened, source)
            found = quality.read(store, self.ontology, source)
            for name in names:
                urls = partial(links.of_source, store, name, self.ontology)
                found += links.figures(self.settings.data, name, urls)
        return found

    def check_links(
        self, source: str | None = None, limit: int | None = None, progress: Progress | None = None
    ) -> "Iterator[Link]":
        """Asks the web, politely, whether the pages that sources give are still there; gives each as it is checked.

        At most `limit` pages, those first that were never checked or longest ago. Takes a second a page of one host.
        """
        from dhu_graph.quality import links
        from dhu_graph.quality.checker import Checker

        with self.reading() as opened:
            names = self._held(opened, source)
            urls = {
                url for name in names for url in links.of_source(opened.resources.store, name, self.ontology)
            }
        yield from links.check(self.settings.data, urls, limit, Checker(), progress)

    def _held(self, opened: Opened, source: str | None) -> list[str]:
        held = sorted(opened.release.manifest["sources"])
        if source is not None and source not in held:
            raise UnknownName(
                f"The release holds no source {source[:80]!r}.", f"It holds: {', '.join(held)}."
            )
        return [source] if source else held

    # ------------------------------------------------------------ reading the current release

    def refresh(self) -> bool:
        """Opens the current release if it is not the opened one; True where it has changed.

        Readers that are under way finish on the release they began with. Raises ReleaseError, and keeps what is open.
        """
        with self._opening:
            number = self.shelf.current()
            if self._opened and self._opened.release.number == number:
                return False
            fresh = self._open(self.shelf.get(number))
            with self._lock:
                old, self._opened = self._opened, fresh
                idle = old is not None and old.users == 0
            if old and idle:
                old.close()
            return True

    @contextmanager
    def reading(self) -> Iterator[Opened]:
        """The opened release, held open for the duration. Raises ReleaseError where nothing is built."""
        if self._opened is None:
            self.refresh()
        with self._lock:
            opened = self._opened
            if opened is None:
                raise ReleaseError("Nothing has been built yet.", "Run `dhu build` first.")
            opened.users += 1
        try:
            yield opened
        finally:
            with self._lock:
                opened.users -= 1
                last = opened.users == 0 and opened is not self._opened
            if last:
                opened.close()

    def _open(self, release: Release) -> Opened:
        import pyoxigraph

        from dhu_graph.index import open_index
        from dhu_graph.search import Confidence, Searcher

        release.verify()
        if release.manifest["base"] != self.settings.base:
            raise ReleaseError(
                f"Release {release.number} was built for {release.manifest['base']}, the setting is {self.settings.base}.",
                "Set DHU_BASE as it was, or build again with `dhu build`.",
            )
        embedder = self.embedder if release.manifest["index"].get("model") else None
        index = open_index(release.index)
        fitted = self._confidence_file(release)
        confidence = Confidence.read(fitted) if fitted.is_file() else None
        searcher = Searcher(index, embedder, reader=self._reader(index), confidence=confidence)
        store = pyoxigraph.Store.read_only(str(release.store))
        return Opened(release, index, searcher, Resources(store, self.ontology), lambda: self._pool(release))

    def suggest(self, typed: str, limit: int = 8) -> "list[Suggestion]":
        """What somebody who types this may mean: titles of resources, and labels of countries, themes and the like."""
        with self.reading() as opened:
            return opened.suggester(self._suggester).suggest(typed, limit)

    def _suggester(self, opened: Opened) -> "Suggester":
        from dhu_graph.search import Suggester, Suggestion

        documents, found = opened.index.documents, []
        for row in range(len(documents)):
            document = documents.get(row)
            found.append(Suggestion(document.title, "resource", document.iri))
        labels = self.ontology.labels
        for column in ("country", "region", "theme", "technology", "target"):
            for value, count in opened.searcher.facets()[column].items():
                iri = self.concept(column, value)
                texts = sorted(set(labels.get(iri, {}).values())) if iri else []
                found += [Suggestion(text, column, value, count) for text in texts]
        return Suggester(found)

    def _reader(self, index: "Index") -> "Reader":
        from dhu_graph.search import Reader

        return Reader(
            self._names.lexicon,
            self._names.of(index.documents.facets()),
            lambda column, value: self.ontology.label(self.concept(column, value) or value),
            index.text.holds,
        )

    @cached_property
    def _names(self) -> "Names":
        """The lexicon and the names that questions are read with, the same for all releases."""
        from dhu_graph.search import Lexicon, Names

        return Names(self.ontology, Lexicon(), {})

    def _pool(self, release: Release) -> "QueryPool":
        from dhu_graph.sparql import QueryPool

        return QueryPool(release.store, self.settings, self.ontology.prefixes)

    def search(
        self, question: str, filter: Filter | None = None, limit: int = 10, offset: int = 0
    ) -> list[Hit]:
        """The best resources for a question in plain words, in any language."""
        with self.reading() as opened:
            return opened.searcher.search(question, filter or Filter(), limit, offset)

    def ask(
        self,
        question: str,
        filter: Filter | None = None,
        limit: int = 10,
        offset: int = 0,
        words: bool = False,
    ) -> "SearchAnswer":
        """`search` with the question as it was read, what it names, and how likely an answer is there at all."""
        with self.reading() as opened:
            return opened.searcher.answer(question, filter or Filter(), limit, offset, words)

    def similar(self, iri: str | list[str], filter: Filter | None = None, limit: int = 10) -> list[Hit]:
        """The resources most like one of them, or most like several together."""
        with self.reading() as opened:
            given = [self.iri(iri)] if isinstance(iri, str) else [self.iri(each) for each in iri]
            return opened.searcher.similar(given, filter or Filter(), limit)

    def alike(self, text: str, filter: Filter | None = None, limit: int = 10) -> list[Hit]:
        """The resources most like a text, such as a draft or the description of a plan."""
        with self.reading() as opened:
            return opened.searcher.alike(text, filter or Filter(), limit)

    def show(self, iri: str) -> Resource:
        """One resource with its statements, labels and parts; of a replaced IRI, the one that it goes by now."""
        with self.reading() as opened:
            try:
                return opened.resources.get(self.iri(iri))
            except Replaced as moved:
                return opened.resources.get(moved.successor.partition("#")[0])

    def answer(
        self,
        query: str,
        accept: str | None = None,
        format: str | None = None,
        default_graphs: list[str] | None = None,
        named_graphs: list[str] | None = None,
    ) -> "Answer":
        """The serialised answer to a SPARQL query, evaluated in a worker with time and memory limits."""
        with self.reading() as opened:
            return opened.pool.query(
                query, accept=accept, format=format, default_graphs=default_graphs, named_graphs=named_graphs
            )

    def query(self, query: str, **parameters: str) -> "rdflib.Graph | list[dict[str, Any]] | bool":
        """The answer to SPARQL, or to a query of the library by name.

        Rows of a SELECT come as dicts of Python values, ASK as a bool, CONSTRUCT and DESCRIBE as an rdflib.Graph.
        """
        from dhu_graph import results
        from dhu_graph.sparql import check

        text = self.bound(query, parameters)
        return results.as_python(lambda format: self._text(text, format), check(text, self.settings).form)

    def bound(self, query: str, parameters: dict[str, str]) -> str:
        """The text of a query of the library with its parameters, or the text itself."""
        if query in queries_module.names():
            return queries_module.load(query, self.ontology).bind(parameters, self.ontology)
        return query

    def _text(self, query: str, format: str) -> bytes:
        with self.answer(query, format=format) as answer:
            return b"".join(answer)

    def iri(self, name: str) -> str:
        """An IRI from a full one, or from `practice/starter-xyz`."""
        return name if "://" in name else f"{self.settings.base}id/{name.strip('/').removeprefix('id/')}"

    def filter(self, **columns: str | list[str] | None) -> Filter:
        """A filter from codes or names: `filter(country="Greece", theme=["telemonitoring"], kind="practice")`.

        Raises UsageError for a column that does not exist and for a value that nothing goes by.
        """
        found: dict[str, list[str]] = {}
        for column, given in columns.items():
            for value in [given] if isinstance(given, str) else given or []:
                found.setdefault(column, []).append(self._code(column, value))
        return Filter.of(**found)

    def concept(self, column: str, value: str) -> str | None:
        """The concept behind a value of a filter column, by code or name; None where there is none."""
        if column == "region":
            editions = sorted(iri for iri in self.ontology.schemes if iri.startswith(_NUTS))
            return next((iri for scheme in editions if (iri := self.ontology.concept(scheme, value))), None)
        return self.ontology.concept(_SCHEMES[column], value) if column in _SCHEMES else None

    def _code(self, column: str, value: str) -> str:
        if column not in FILTER_COLUMNS:
            raise UsageError(f"There is no filter {column!r}.", f"Filters: {', '.join(FILTER_COLUMNS)}.")
        if column == "kind":
            known = sorted(set(self.ontology.resource_kinds.values()))
            if value not in known:
                raise UsageError(f"There is no kind {value!r}.", f"Kinds: {', '.join(known)}.")
            return value
        if column not in (*_SCHEMES, "region"):
            return value
        iri = self.concept(column, value)
        if iri is None:
            raise UsageError(
                f"{value!r} is no {column} that we know.",
                "Give a name or a code, such as Greece or telemonitoring.",
            )
        return self.ontology.notation(iri)

    def evaluate(self, name: str, split: str | None = None, keep: bool = False) -> "evaluation_module.Report":
        """A report on a judged set of `evaluation/`, or on its open or locked half.

        `search` and `search-24` measure search, by language and kind, against the kept baseline, which `keep` writes
        anew; `named` how well the filters that questions name are recognised, `confidence` whether search knows that it
        has no answer; `link` measures identity, `enrich` the rules of enrichment on what the starter catalogue states.
        """
        if name in ("enrich", "link"):
            return evaluation_module.Report(
                [
                    {"measure": key, "figure": round(value, 4)}
                    for key, value in self._figures(name, split).items()
                ]
            )
        with self.reading() as opened:
            chosen = "search" if name in ("named", "confidence") else name
            questions = evaluation_module.judged(chosen, opened.iris(), split, opened.resources.replaced())
            if name == "confidence":
                fitted = evaluation_module.calibrated(opened.searcher, questions)
                told = {"samples": fitted.samples, "auc": fitted.auc, "ece": fitted.ece} if fitted else {}
                return evaluation_module.Report(
                    [{"measure": k, "figure": round(v, 4)} for k, v in told.items()]
                )
            if name == "named":
                searcher = opened.searcher
                return evaluation_module.Report(
                    evaluation_module.recognised(
                        questions, lambda text: searcher.read(text).named, searcher.facets()
                    )
                )
            found = evaluation_module.scores(opened.searcher, questions, relevant=2)
        if keep:
            evaluation_module.keep(name, split, found)
        return evaluation_module.report(name, split, questions, found)

    def _figures(self, name: str, split: str | None) -> dict[str, float]:
        graphs = self._graphs()
        if name == "link":
            return evaluation_module.measure(self.links(), graphs, self.ontology, split)
        if "starter" not in graphs:
            raise UsageError(
                "Enrichment is measured on the starter catalogue, which is not here.",
                "Run `dhu ingest starter`.",
            )
        return evaluation_module.held_out(graphs["starter"], self.ontology)

    def _graphs(self) -> dict[str, Path]:
        return {name: self.settings.data / "sources" / name / "graph.nq.gz" for name in self._digests()}
