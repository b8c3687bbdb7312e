"""`/api/contributions`: the template, sending a filled-in one, what became of it, and the decisions of moderators.

Sending needs no key: nothing that is sent reaches the graph before a moderator has accepted it. Moderators send the setting
`write_key` in a header, which no browser does by itself, so no page can decide in the name of its visitor.
"""

import hmac
import tempfile
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from dhu_graph.contributions import Desk, Entry, Received
from dhu_graph.engine import Built
from dhu_graph.errors import BadInput, Busy, UsageError
from dhu_graph.web.errors import explained
from dhu_graph.web.sparql import NotUnderstood
from dhu_graph.web.views import engine_of

AT_ONCE = 2
"""Files that are checked at the same time; more would take the threads and the memory of those who read."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TYPES = {"xlsx": _XLSX, "csv": "text/csv; charset=utf-8"}
_RAW = {_XLSX, "text/csv", "application/octet-stream"}
_MOST_TOLD = 1_000

router = APIRouter()


class KeyNeeded(UsageError):
    """The call changes or shows what is not public, and came without the right key."""

    status: ClassVar[int] = 401
    title: ClassVar[str] = "The key is missing or wrong"


class ModerationOff(UsageError):
    """No key is set on this server, so nothing is moderated over HTTP."""

    status: ClassVar[int] = 403
    title: ClassVar[str] = "Moderation over HTTP is off"


class FaultOut(BaseModel):
    """What is wrong in a file: `cell` is exact (`cell F7`), `column` the machine key, `text` the whole sentence."""

    where: str
    row: int
    cell: str
    column: str
    label: str
    message: str
    text: str


class PlacedOut(BaseModel):
    """A row that is in order: its id, and `waiting`, or the state of the same content if it was known already."""

    row: int
    id: str
    state: str


class ReceivedOut(BaseModel):
    """What became of a file. `queued` counts the rows that are new; `errors` name at most the first thousand cells."""

    file: str
    rows: int
    queued: int
    placed: list[PlacedOut]
    error_count: int
    errors: list[FaultOut]


class StateOut(BaseModel):
    """What became of a contribution: `reason` where it was rejected or withdrawn, `resource` where it was accepted."""

    id: str
    state: str
    reason: str
    received: str
    decided: str
    resource: str = ""


class EntryOut(StateOut):
    """One contribution as moderators see it."""

    organisation: str
    fields: dict[str, Any]


class DecisionIn(BaseModel):
    """A decision: `reason` is told to the contributor, `by` names a role and no person."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=2_000)
    by: str = Field("", max_length=100)


class DecidedOut(BaseModel):
    """The contribution after the decision, and the number of the release that it made, if it made one."""

    id: str
    state: str
    release: int | None


class TemplateOf(BaseModel):
    """Parameters of the template."""

    model_config = ConfigDict(extra="forbid")

    language: str = Field("en", max_length=10, description="One of the 24 EU languages: `de`, `el`, `mt` …")
    format: Literal["xlsx", "csv"] = "xlsx"


class Sent(BaseModel):
    """Parameters of sending."""

    model_config = ConfigDict(extra="forbid")

    organisation: str = Field(
        "", max_length=400, description="Which body sends it; may be a part of the form instead."
    )


class Listed(BaseModel):
    """Parameters of the list."""

    model_config = ConfigDict(extra="forbid")

    state: str = Field(
        "waiting", max_length=20, description="Or `accepted`, `rejected`, `superseded`, `withdrawn`, `all`."
    )
    limit: int = Field(100, ge=1, le=1_000)
    offset: int = Field(0, ge=0, le=1_000_000)


def moderator(request: Request) -> None:
    """Lets those pass who send the key of this server. Raises KeyNeeded, or ModerationOff where none is set."""
    key = engine_of(request).settings.write_key.get_secret_value()
    if not key:
        raise ModerationOff("This server has no write key.", "Use `dhu contribute`, or set DHU_WRITE_KEY.")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    # Both are compared to the end, so that the time says nothing about how much of it is right.
    if not hmac.compare_digest(given.strip().encode(), key.encode()) or scheme.lower() != "bearer":
        raise KeyNeeded("The key is missing or wrong.", "Send it as `Authorization: Bearer KEY`.")


@router.get("/api/contributions/template", summary="The template to fill in", response_class=Response)
def template(request: Request, asked: Annotated[TemplateOf, Query()]) -> Response:
    """A workbook or CSV with headings, choices and an example in any EU language."""
    content = _desk(request).template(asked.language, asked.format)
    name = f"dhu-contribution-{asked.language}.{asked.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_TYPES[asked.format], headers=headers)


@router.post("/api/contributions", summary="Send a filled-in template", response_model=ReceivedOut)
async def send(request: Request, asked: Annotated[Sent, Query()]) -> Response:
    """As a form (`file`, `organisation`) or as the bare bytes of the file. Good rows are queued for a moderator."""
    with tempfile.TemporaryDirectory(prefix="sent-") as folder:
        path = Path(folder) / "file.xlsx"
        name, organisation = await _taken(request, path, asked.organisation)
        return await run_in_threadpool(_received, request, path, name, organisation)


@router.get(
    "/api/contributions", summary="What was sent in (with the key)", dependencies=[Depends(moderator)]
)
def entries(request: Request, asked: Annotated[Listed, Query()]) -> list[EntryOut]:
    """In the order in which it came."""
    found = _desk(request).queue.entries(asked.state, asked.limit, asked.offset)
    return [
        EntryOut(
            **_state(_desk(request), entry).model_dump(), organisation=entry.organisation, fields=entry.fields
        )
        for entry in found
    ]


@router.get("/api/contributions/{id}", summary="What became of a contribution")
def state(request: Request, id: str) -> StateOut:
    """For whoever has the id that sending gave: waiting, accepted, rejected, superseded or withdrawn."""
    return _state(_desk(request), _desk(request).queue.get(id))


@router.post(
    "/api/contributions/{id}/accept",
    summary="Let a contribution into the graph (with the key)",
    dependencies=[Depends(moderator)],
)
def accept(request: Request, id: str, decision: DecisionIn | None = None) -> DecidedOut:
    """Makes a release; an earlier version of the same record is superseded."""
    (entry,), built = _desk(request).accept([id], decision.by if decision else "")
    return DecidedOut(id=entry.id, state=entry.state, release=built.release.number if built.release else None)


@router.post(
    "/api/contributions/{id}/reject",
    summary="Turn a contribution away (with the key)",
    dependencies=[Depends(moderator)],
)
def reject(request: Request, id: str, decision: DecisionIn) -> DecidedOut:
    """It never reaches the graph; the reason is told to whoever has the id."""
    (entry,) = _desk(request).reject([id], decision.reason, decision.by)
    return DecidedOut(id=entry.id, state=entry.state, release=None)


def _desk(request: Request) -> Desk[Built]:
    return engine_of(request).contributions


def _received(request: Request, path: Path, name: str, organisation: str) -> Response:
    places = request.app.state.checks
    if not places.acquire(blocking=False):
        raise Busy("Other files are being checked.", "Try again in a moment.")
    try:
        told = _told(_desk(request).receive(path, organisation, name))
    finally:
        places.release()
    if told.rows and not told.placed:
        detail = f"None of the {told.rows:,} rows of {told.file} is in order."
        error = BadInput(detail, "`errors` names each cell.")
        return explained(request, error, told.model_dump(exclude={"placed"}))
    if not told.rows:
        raise BadInput(f"{told.file} has no row to take.", "Fill in the rows below the example.")
    return JSONResponse(told.model_dump(), 202 if told.queued else 200, {"Cache-Control": "no-store"})


async def _taken(request: Request, path: Path, organisation: str) -> tuple[str, str]:
    """Writes the file that was sent to a path, block by block; returns its name and who sends it."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=4, max_part_size=2_000) as form:
            file, given = form.get("file"), form.get("organisation") or organisation
            if not isinstance(file, UploadFile):
                raise UsageError("The form has no file.", "Send the parts `file` and `organisation`.")
            with path.open("wb") as out:
                while block := await file.read(1 << 18):
                    out.write(block)
            return _named(file.filename or ""), str(given)
    if kind not in _RAW:
        raise NotUnderstood(
            f"The content type {kind[:80]!r} is not understood.", f"Send a form, {_XLSX} or text/csv."
        )
    with path.open("wb") as out:
        async for block in request.stream():
            out.write(block)
    return "file", organisation


def _named(name: str) -> str:
    """The name of a file as it was sent, without folders and without what could be taken for more than a name."""
    plain = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())
    return plain[:100] or "file"


def _told(received: Received) -> ReceivedOut:
    checked = received.checked
    faults = checked.all_faults
    return ReceivedOut(
        file=checked.name,
        rows=len(checked.rows),
        queued=len(received.queued),
        placed=[
            PlacedOut(row=row.number, id=each.id, state=each.known or "waiting")
            for row, each in zip(checked.good, received.placed, strict=True)
        ],
        error_count=len(faults),
        errors=[
            FaultOut(
                where=f.where,
                row=f.row,
                cell=f.cell,
                column=f.column,
                label=f.label,
                message=f.message,
                text=str(f),
            )
            for f in faults[:_MOST_TOLD]
        ],
    )


def _state(desk: Desk[Built], entry: Entry) -> StateOut:
    return StateOut(
        id=entry.id,
        state=entry.state,
        reason=entry.reason,
        received=entry.received,
        decided=entry.decided,
        resource=desk.address(entry) if entry.state == "accepted" else "",
    )
