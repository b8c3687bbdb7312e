"""The query library: each `.rq` in `queries/` with its `#+` header (summary, description, parameters, example)."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from dhu_graph import assets
from dhu_graph.errors import BadInput, UnknownName, UsageError
from dhu_graph.ontology import Ontology, rebased


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a query takes: a concept of a scheme (by code or label), a year, or a plain text."""

    name: str
    description: str
    example: str
    scheme: str = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Query:
    """One named query. `bind` turns values into the text that is run."""

    name: str
    summary: str
    description: str
    text: str
    parameters: tuple[Parameter, ...] = field(default_factory=tuple)

    def bind(self, values: dict[str, str], ontology: Ontology) -> str:
        """The query with each `?_name` replaced by its value. Raises UsageError for a missing, unknown or wrong one."""
        known = {p.name for p in self.parameters}
        unknown = sorted(values.keys() - known)
        if unknown:
            raise UsageError(
                f"{self.name} has no parameter {', '.join(unknown)}.",
                f"It takes: {', '.join(sorted(known)) or 'none'}.",
            )
        terms = {}
        for parameter in self.parameters:
            value = values.get(parameter.name, "").strip()
            if not value:
                raise UsageError(
                    f"{self.name} needs {parameter.name}: {parameter.description}.",
                    f"For example {parameter.example}.",
                )
            terms[parameter.name] = _term(parameter, value, ontology)
        # In one pass: what stands in a value is never taken for a parameter.
        return re.sub(r"\?_(\w+)", lambda found: terms.get(found[1], found[0]), self.text)


def names() -> list[str]:
    """The names of all queries, sorted."""
    return sorted(p.stem for p in assets.folder("queries").glob("*.rq"))


def load(name: str, ontology: Ontology) -> Query:
    """A query by name. Raises UnknownName, or BadInput for a header that cannot be read."""
    if name not in names():
        raise UnknownName(f"There is no query {name!r}.", f"Queries: {', '.join(names())}.")
    return parse(assets.folder("queries") / f"{name}.rq", ontology)


def parse(path: Path, ontology: Ontology) -> Query:
    """A query from a file; its header is TOML behind `#+`."""
    text = rebased(path, ontology.base)
    header = "\n".join(line[2:].strip() for line in text.splitlines() if line.startswith("#+"))
    try:
        values = tomllib.loads(header)
        parameters = tuple(Parameter(name=n, **p) for n, p in values.pop("parameters", {}).items())
        return Query(name=path.stem, text=text, parameters=parameters, **values)
    except (tomllib.TOMLDecodeError, TypeError, AttributeError) as error:
        raise BadInput(
            f"queries/{path.name}: the #+ header cannot be read: {error}.", "See queries/README.md."
        ) from None


def _term(parameter: Parameter, value: str, ontology: Ontology) -> str:
    if parameter.scheme:
        iri = ontology.concept(parameter.scheme, value)
        if iri is None:
            raise UsageError(
                f"{parameter.name}: {value!r} is not known.",
                f"Give a code or a name, for example {parameter.example}.",
            )
        return f"<{iri}>"
    if parameter.kind == "year":
        if not re.fullmatch(r"[0-9]{4}", value):
            raise UsageError(
                f"{parameter.name}: {value!r} is not a year.", f"For example {parameter.example}."
            )
        return f'"{value}"^^xsd:gYear'
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
