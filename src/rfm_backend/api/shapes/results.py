"""Shapes of results: rows, pages of rows, the summary, an explanation."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rfm_backend.api.shapes.base import Query


class CustomerTold(BaseModel):
    """A customer of a result; contacts and kept columns follow where the file has any."""

    model_config = ConfigDict(extra="allow")

    customer_id: str
    recency: int
    frequency: int
    monetary: float = Field(description="Written exactly, however many digits it has.")
    cluster: int
    segment: str
    r_score: int
    f_score: int
    m_score: int
    rfm_cell: str
    first_purchase_date: dt.date
    last_purchase_date: dt.date


class ResultQuery(Query):
    """Which customers, in which order; with none of these the whole array comes."""

    segment: str | None = Field(default=None, max_length=100)
    cluster: int | None = Field(default=None, ge=0, le=1000)
    cell: str | None = Field(
        default=None,
        pattern="^[1-5]{2,3}$",
        description="Recency and frequency score side by side, the monetary score too: 54, 545.",
    )
    q: str | None = Field(
        default=None, min_length=1, max_length=200, description="Beginning of id, name or e-mail."
    )
    sort: (
        Literal[
            "customer_id", "-customer_id", "recency", "-recency", "frequency", "-frequency",
            "monetary", "-monetary",
        ]
        | None
    ) = Field(default=None, description="With - in front the largest first.")  # fmt: skip
    limit: int | None = Field(default=None, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=200)


class SummaryTold(BaseModel):
    """Segments, clusters, cross table, thresholds, accounting, findings, actions."""

    model_config = ConfigDict(extra="allow")

    analysis_id: int
    upload_id: int
    quality: dict[str, object]
    segments: list[dict[str, object]]
    clusters: list[dict[str, object]]
    cross_table: dict[str, list[int]]
    edges: list[dict[str, object]]
    findings: list[dict[str, object]]
    actions: list[dict[str, object]]


class SummaryQuery(Query):
    """In which language names and actions come."""

    lang: Literal["en", "id"] = "en"


class ExplanationTold(BaseModel):
    """Why a customer stands where he stands, and what would move him."""

    model_config = ConfigDict(extra="allow")

    customer_id: str
    group: str


class ExplanationQuery(Query):
    """Which of a customer's groups."""

    group: str | None = Field(default=None, max_length=300)


class ExportQuery(Query):
    """In which form."""

    format: Literal["csv", "xlsx", "parquet", "json", "html"] = "csv"
    lang: Literal["en", "id"] = "en"
