"""Shapes of processing: options, jobs, analyses and their comparison."""

from typing import Annotated, Literal

from pydantic import Field

from rfm_backend.api.shapes.base import Moment, PageQuery, Sent, Told
from rfm_backend.pipeline.options import MOST_CLUSTERS, MOST_SEED

# Read, and refused in words of its own, by pipeline/options_json.py.
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]
Edges = Annotated[list[float], Field(min_length=4, max_length=4)]
NClusters = Annotated[int, Field(ge=2, le=MOST_CLUSTERS)]


class FixedEdges(Sent):
    """Four ascending edges for each dimension; a value equal to one takes the score of smaller values."""

    recency: Edges
    frequency: Edges
    monetary: Edges


class Process(Sent):
    """The options of `rfm segment`, each with its documented default."""

    mapping: dict[str, str] | None = Field(
        default=None, description='Role -> column of the file, or "" where it has none.'
    )
    use_mapping: str | None = Field(default=None, description="A saved mapping, by its name.")
    keep: list[str] | None = Field(default=None, description="Columns carried to the result.")
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    date_format: str | None = None
    level: Literal["lines", "orders", "customers"] | None = None
    snapshot_date: Day | None = Field(default=None, description="The day recency is counted to.")
    since: Day | None = None
    until: Day | None = None
    exclude: list[Pair] | None = Field(default=None, description="Pairs of column and value.")
    returns: Literal["drop", "match", "net"] | None = None
    duplicates: Literal["keep", "drop"] | None = None
    timezone: str | None = None
    n_clusters: NClusters | Literal["auto"] | None = Field(
        default=None, description="2 to 50, or auto."
    )
    seed: int | None = Field(default=None, ge=0, le=MOST_SEED)
    segments: str | None = Field(default=None, description="ten, eleven, or a saved table's name.")
    scores: Literal["quantile", "r-rfm", "thresholds"] | None = None
    thresholds: FixedEdges | None = Field(
        default=None, description="Fixed edges of the scores, instead of the customers' own."
    )
    by: str | None = None
    currency: str | None = None
    model: Literal["server"] | None = Field(
        default=None, description="Apply the server's model instead of fitting one."
    )
    model_from: int | None = Field(
        default=None, ge=1, lt=2**63, description="Apply the model of an earlier analysis."
    )


class Processed(Told):
    """What came out."""

    message: str
    total_customers: int
    clusters: int
    analysis_id: int


class JobTold(Told):
    """A job: ``seconds_left`` is a guess from how long the stage has taken so far."""

    job_id: int
    upload_id: int
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    stage: str | None
    rows: int | None
    percent: float | None
    seconds_left: float | None
    attempts: int
    analysis_id: int | None
    error_code: str | None
    error_message: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class JobAnswer(JobTold):
    """A job that was joined; GET /api/jobs/<job_id> follows it."""

    message: str


class AnalysisTold(Told):
    """An analysis."""

    analysis_id: int
    upload_id: int
    total_customers: int
    clusters: int
    seed: int
    version: str
    options: dict[str, object]
    columns: list[str]
    created_at: Moment


class AnalysisQuery(PageQuery):
    """Which analyses."""

    file_id: int | None = Field(default=None, ge=1, lt=2**63)


class Side(Told):
    """A segment in one analysis."""

    n_customers: int
    monetary: float
    share_of_customers: float
    share_of_monetary: float


class SegmentChange(Told):
    """A segment in both analyses: null where one has no such segment."""

    segment: str
    before: Side | None
    after: Side | None


class Flow(Told):
    """Customers who were in one segment and are in another; null for those in one analysis only."""

    before: str | None
    after: str | None
    n_customers: int
    monetary_before: float
    monetary_after: float


class Comparison(Told):
    """Two analyses, segment by segment, and who moved where."""

    before: int
    after: int
    segments: list[SegmentChange]
    flows: list[Flow]
