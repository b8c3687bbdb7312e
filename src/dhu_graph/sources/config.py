"""`source.toml`: what a source is, how it is read, and what is expected of it."""

import hashlib
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from dhu_graph import assets
from dhu_graph.errors import BadInput, UnknownName


def _encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError:
        raise ValueError(f"there is no text encoding {name!r}") from None
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Web = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scoped(_Strict):
    """What concerns us."""

    scope: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Only records with one of these values in these fields concern us."
    )
    skip: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Records with one of these values in these fields do not concern us.",
    )


class Input(Scoped):
    """One file (or several, by a pattern) of a source, all in one format."""

    file: str = Field(
        description="Its name or pattern inside a folder or an archive: `cases.csv`, `*.jsonl`, `raw/x.json`."
    )
    format: Literal["csv", "xlsx", "jsonl", "json", "jsonstat", "yaml", "xml", "rdf"]
    records: str = Field(
        "",
        description="Where the records stand: a path in json (`entry`, `.`), an element in xml, a class in rdf, a sheet in xlsx.",
    )
    url: Web | None = Field(None, description="Where it is on the web; a ZIP is opened there as well.")
    addresses: str = Field(
        "", description="A file in the folder of the source with one web address a line, in place of `url`."
    )
    pages: Literal["oai-pmh", "fhir", "hydra", "link"] | None = Field(
        None,
        description="How an answer names the next page: resumption token, Bundle link, hydra:next, Link header.",
    )
    query: str = Field(
        "",
        description="A file with a CONSTRUCT, put to the SPARQL endpoint at `url`; with `OFFSET 0` it is asked page by page.",
    )
    name: Name | None = Field(None, description="Put before the ids when a source has several inputs.")
    id: str = Field(
        "",
        description="The field that holds the origin's own identifier (`header.identifier`), or `@file` for the name of the file; for jsonstat, not needed.",
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8-sig"
    delimiter: str = Field(",", min_length=1, max_length=1, description="csv only.")
    split: dict[str, str] = Field(
        default_factory=dict, description="Fields that hold lists, with their separator."
    )
    joined: Literal["", "one", "many"] = Field(
        "",
        description="With `join`: this input gives each record one part, or many, under the key `name`.",
    )


class Expect(_Strict):
    """How many records in scope a whole harvest has; outside these bounds the previous graph is kept."""

    min: int = Field(0, ge=0)
    max: int = Field(10_000_000, ge=0)


class Source(Scoped):
    """A source as its folder describes it."""

    name: Name
    folder: Path
    title: str
    summary: str
    publisher: str
    homepage: Web
    licence: Web | None = None
    terms: str = Field(
        "", description="What it takes to go live: registration, limits of use, conditions, whom to ask."
    )
    rights: str = Field("", description="What must be said beside the licence, such as an attribution.")
    schedule: str = Field(
        "", description="How often it changes, as a code of the EU frequency table (`MONTHLY`)."
    )
    rank: int = Field(
        50,
        ge=0,
        description="Whose words are shown first where several sources tell of one thing; smaller first.",
    )
    language: str = Field("en", description="Language of its texts (BCP 47).")
    shipped: str | None = Field(
        None, description="Subfolder that holds the files, where they stand in the project."
    )
    input: tuple[Input, ...] = Field(min_length=1)
    join: Literal["", "outer", "left"] = Field(
        "",
        description="Inputs with the same identifier make one record: of all (`outer`), or of those that the first has (`left`).",
    )
    ignore: dict[str, str] = Field(
        default_factory=dict, description="Fields left out on purpose, with the reason."
    )
    expect: Expect = Field(default_factory=lambda: Expect(min=0, max=10_000_000))

    @model_validator(mode="after")
    def _joins(self) -> "Source":
        if self.join and not all(item.joined and item.name for item in self.input):
            raise ValueError("with `join`, each input needs a `name` and `joined`")
        if not self.join and (self.scope or any(item.joined for item in self.input)):
            raise ValueError("`scope` of the whole and `joined` are for sources with `join`")
        return self

    @property
    def fingerprint(self) -> str:
        """Changes with `source.toml` or `map.rq`."""
        parts = (self.folder / "source.toml", self.folder / "map.rq")
        return hashlib.sha256(b"\0".join(p.read_bytes() for p in parts)).hexdigest()

    @property
    def map(self) -> str:
        """The CONSTRUCT query that turns raw records into DHU triples."""
        return (self.folder / "map.rq").read_text(encoding="utf-8")


def names() -> list[str]:
    """The names of all sources, sorted."""
    return sorted(p.parent.name for p in assets.folder("ingest").glob("*/source.toml"))


def load(name: str, folder: Path | None = None) -> Source:
    """A source by name, or from any folder that holds a `source.toml` and a `map.rq`.

    Raises UnknownName for no such source, and BadInput naming each wrong line of `source.toml`.
    """
    if folder is None:
        if name not in names():
            raise UnknownName(f"There is no source {name!r}.", f"Known sources: {', '.join(names())}.")
        folder = assets.folder("ingest") / name
    path = folder / "source.toml"
    try:
        if not (folder / "map.rq").is_file():
            raise BadInput(f"{name}: map.rq is missing.", "See ingest/README.md for how a map is written.")
        return Source(name=name, folder=folder, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BadInput(f"{name}/source.toml cannot be read: {error}.", "Mend the line named.") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise BadInput(f"{name}/source.toml: {wrong}.", "ingest/README.md lists every field.") from None
