"""`/api/quality`: the quality report of the release that is served."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from dhu_graph.quality import table
from dhu_graph.web.views import engine_of

router = APIRouter()


class Asked(BaseModel):
    """What can be asked for."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field("", max_length=100, description="One source: `starter`. All without it.")


class FigureOut(BaseModel):
    """One figure: `value` as text, of the type that the metric names; `most` where a value has a highest one."""

    source: str
    dimension: str
    metric: str
    measure: str
    about: str
    value: str
    most: int | None
    checked: str | None


class QualityOut(BaseModel):
    """The figures of a release. `metric` is a code of the vocabulary `/vocab/quality`."""

    release: int
    figures: list[FigureOut]


@router.get("/api/quality", summary="The quality of each source")
def quality(request: Request, asked: Annotated[Asked, Query()]) -> QualityOut:
    """Completeness, freshness, conformity, duplicates, coverage, and the points of data.europa.eu."""
    engine = engine_of(request)
    with engine.reading() as opened:
        figures = engine.quality(asked.source or None)
        number = opened.release.number
    return QualityOut(
        release=number,
        figures=[FigureOut.model_validate(row) for row in table.rows(figures, engine.ontology)],
    )
