"""What a contribution is: its fields, who sent it and when, and by what a later version of it is known."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from dhu_graph.errors import UsageError
from dhu_graph.model import Record


@dataclass(frozen=True, slots=True)
class Contribution:
    """The fields of one row with the organisation that sent it and the time (UTC) at which it came."""

    fields: dict[str, Any]
    organisation: str
    received: str

    @classmethod
    def of(cls, fields: dict[str, Any], organisation: str, received: str) -> "Contribution":
        """A contribution. Raises UsageError for a name that is none."""
        return cls(fields, named(organisation), received)

    @property
    def body(self) -> str:
        """The organisation as it is compared: neither case nor blanks make another body."""
        return folded(self.organisation)

    @property
    def own(self) -> str:
        """The contributor's own identifier as it is compared, or nothing."""
        return folded(str(self.fields.get("own_id", "")))

    @property
    def name(self) -> str:
        """Kind and title as they are compared."""
        return f"{self.fields['kind']}\x1f{folded(str(self.fields['title']))}"

    @property
    def key(self) -> str:
        """What the record goes by in the graph if no earlier version of it is known."""
        return _digest(self.body, "id" if self.own else "title", self.own or self.name)[:16]

    @property
    def digest(self) -> str:
        """The same for the same content of the same organisation."""
        return _digest(self.body, json.dumps(self.fields, sort_keys=True, ensure_ascii=False))

    def record(self, key: str, accepted: str = "") -> Record:
        """The record as the source `contributions` has it."""
        fields = {**self.fields, "id": key, "organisation": self.organisation, "submitted": self.received}
        if accepted:
            fields["accepted"] = accepted
        native = json.dumps(fields, sort_keys=True, ensure_ascii=False).encode()
        return Record(key, key, native, fields)


def named(organisation: str) -> str:
    """The name of an organisation with single blanks. Raises UsageError where it is none, or that of a mailbox."""
    name = " ".join("".join(c if c.isprintable() else " " for c in organisation).split())
    if not 2 <= len(name) <= 200:
        raise UsageError(
            "The name of the organisation must have 2 to 200 characters.",
            "Say who sends this: --organisation NAME.",
        )
    if "@" in name:
        raise UsageError("The name of the organisation holds an address.", "Give the name of the body alone.")
    return name


def folded(text: str) -> str:
    """A name as it is compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
