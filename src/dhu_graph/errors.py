"""Every error a person can meet, in one tree.

    DhuError                    something went wrong that we can explain
    ├── UsageError              the request itself is off                     400, exit 2
    │   ├── OutOfDate           a page of answers of a release that is no longer  409, exit 2
    │   └── UnknownName         no such source, query, resource, release …    404, exit 2
    │       └── Replaced        it goes by another IRI now                    301, exit 2
    ├── BadInput                a file, record or setting cannot be used      422, exit 3
    ├── QueryRejected           a SPARQL query is malformed or forbidden      400, exit 3
    │   ├── QueryTimeout        it ran into the wall clock                    503, exit 1
    │   └── QueryTooLarge       it ran into the memory or the size limit      503, exit 1
    ├── RemoteFailure           an address did not answer as it should        502, exit 4
    ├── Busy                    all workers are taken; try again              503, exit 1
    └── ReleaseError            a release is missing, corrupt or foreign      503, exit 3

Each carries `detail` (what was wrong, and where), `hint` (what to do), an HTTP status and an exit code.
"""

from typing import ClassVar


class DhuError(Exception):
    """Something went wrong that we can explain."""

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, hint: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.detail} {self.hint}".strip()


class UsageError(DhuError):
    """The request itself is off: a wrong option, an empty question, an unknown column."""

    status, exit_code, title = 400, 2, "The request is not usable"


class OutOfDate(UsageError):
    """The next page was asked for of a release that is no longer the current one."""

    status, title = 409, "The radar has changed"


class UnknownName(UsageError):
    """No source, query, resource, release or language of that name."""

    status, title = 404, "Not found"


class Replaced(UnknownName):
    """A resource that was found to be one with another, and goes by that one's IRI."""

    def __init__(self, iri: str, successor: str) -> None:
        super().__init__(f"{iri} goes by {successor} now.", "Ask for that one.")
        self.successor = successor


class BadInput(DhuError):
    """A file, record, map, shape or setting cannot be used as it is."""

    status, exit_code, title = 422, 3, "The input cannot be used"


class QueryRejected(DhuError):
    """A SPARQL query is malformed, forbidden here, or too deep to be parsed safely."""

    status, exit_code, title = 400, 3, "The query was not accepted"


class QueryTimeout(QueryRejected):
    """A SPARQL query ran into the wall clock and was stopped."""

    status, exit_code, title = 503, 1, "The query took too long"


class QueryTooLarge(QueryRejected):
    """A SPARQL query needed more memory, or gave a larger answer, than is allowed."""

    status, exit_code, title = 503, 1, "The query is too large"


class RemoteFailure(DhuError):
    """An address outside did not answer, or answered something else."""

    status, exit_code, title = 502, 4, "A remote address failed"


class Busy(DhuError):
    """All workers are taken for the moment."""

    status, exit_code, title = 503, 1, "Busy"


class ReleaseError(DhuError):
    """A release is missing, incomplete, corrupt, or made by something else."""

    status, exit_code, title = 503, 3, "The release cannot be used"
