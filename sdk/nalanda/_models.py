"""What the server answers with; a field that this client does not know is ignored."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from nalanda._vectors import unpack

Metric = Literal["cosine", "dot", "l2"]
IndexKind = Literal["auto", "flat", "ivf", "hnsw"]
FieldType = Literal["string", "integer", "number", "boolean", "datetime", "string_list"]
QueryStatus = Literal["running", "completed", "failed", "cancelled", "timed_out"]
Embedding = Annotated[list[float], BeforeValidator(unpack)]
"""Floats, whether they were sent as a list or as base64."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FieldRule(Model):
    type: FieldType
    required: bool = False
    enum: list[Any] | None = None


class MetadataSchema(Model):
    """`additional`: whether fields that it does not name are allowed."""

    fields: dict[str, FieldRule] = {}
    additional: bool = True


class Entity(Model):
    """`version` grows with each write; give it as `if_match` to write only over this one."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime


class Library(Entity):
    """`dimension` and `embedding_model` are settled by the first vector, if not before."""

    name: str
    description: str | None = None
    metadata: dict[str, Any] = {}
    metadata_schema: MetadataSchema | None = None
    dimension: int | None = None
    metric: Metric = "cosine"
    index: dict[str, Any] = {}
    embedding_model: str | None = None
    language: str = "english"


class Document(Entity):
    library_id: str
    title: str | None = None
    source: str | None = None
    metadata: dict[str, Any] = {}


class Chunk(Entity):
    """`ordinal` is its place in its document; `embedding` is there if `include` named it."""

    document_id: str
    library_id: str
    ordinal: int
    text: str
    metadata: dict[str, Any] = {}
    embedding: Embedding | None = None


class Recall(Model):
    """`measured`: the mean share of the true hits that so many `searches` found.

    `worst_tenth`: the mean of the tenth of them that found the least; `None` from a server that
    does not say it.
    """

    measured: float
    worst_tenth: float | None = None
    searches: int


class Index(Model):
    """`vectors` counts those that are searched, `deleted` those whose space is not back yet.

    `state`: `ready`, `building` or `failed`, and then `error` says why.
    """

    kind: IndexKind
    state: str
    error: str | None = None
    segments: int
    vectors: int
    deleted: int
    memory_bytes: int
    lexical_memory_bytes: int = 0
    recall: Recall | None = None
    parameters: dict[str, Any] = {}


class HitDocument(Model):
    id: str
    title: str | None = None
    source: str | None = None
    metadata: dict[str, Any] = {}


class Hit(Model):
    """A higher `score` is nearer, for every metric. What `include` left out is `None`."""

    chunk_id: str
    document_id: str
    score: float
    version: int
    text: str | None = None
    metadata: dict[str, Any] | None = None
    document: HitDocument | None = None
    embedding: Embedding | None = None


class Plan(Model):
    """How it was searched; `matches` counts the chunks that passed the filter, and `unknown_fields`
    names the filter's fields that no chunk has."""

    index: str
    filter: str
    matches: int | None = None
    exact: bool
    unknown_fields: list[str] = []


class SearchResult(Model):
    """Best first, as of `position`."""

    hits: list[Hit]
    plan: Plan
    position: int
    took_ms: float


class QueryHandle(Model):
    """A question that was started, and where to watch it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None = None


class RankedChunk(Model):
    """`version` is that of the chunk when it was retrieved."""

    chunk_id: str
    document_id: str
    version: int
    score: float
    rerank_score: float | None = None


class Citation(Model):
    """`answer[start:end]` rests on `quote`, the chunk's own text at `quote_start:quote_end`.

    Offsets count Unicode code points, the end exclusive.
    """

    start: int
    end: int
    chunk_id: str
    document_id: str
    quote: str
    quote_start: int
    quote_end: int


class Usage(Model):
    """What the providers counted; zero where a provider is free."""

    input_tokens: int = 0
    output_tokens: int = 0
    search_units: int = 0


class QueryResult(Model):
    """`degraded` names each thing that had to be done in a lesser way; empty: nothing was.

    Without an answer (none was asked for, or there was no time for it), `answer`, `provider`
    and `model` are empty.
    """

    answer: str = ""
    citations: list[Citation] = []
    hits: list[RankedChunk] = []
    position: int
    degraded: list[str] = []
    provider: str = ""
    model: str = ""
    usage: Usage = Usage()
    timings_ms: dict[str, float] = {}


class StageState(Model):
    """`status` is pending, running, completed, failed, cancelled or skipped."""

    name: str
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0


class Feedback(Model):
    rating: int
    comment: str | None = None


class QueryState(Model):
    """Where a question is; `result` may be partial while it is running.

    `library` is an id, and `query` the beginning of the question.
    """

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: str | None = None
    stages: list[StageState] = []
    result: QueryResult | None = None
    error: str | None = None
    feedback: list[Feedback] = []

    @property
    def closed(self) -> bool:
        return self.status != "running"


class QueryEvent(Model):
    """An event of a question: `stage`, `hits`, `citation`, `result` or `error`, with its JSON.

    `id` grows; give the last one seen as `last_event_id` to go on behind it.
    """

    id: int
    event: str
    data: dict[str, Any]


class QuerySummary(Model):
    """A question in a listing; `library` is an id, and `query` the beginning of the question."""

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Version(Model):
    """`instance_id`: the database's; older servers have none."""

    version: str
    instance_id: str | None = None


class Readiness(Model):
    """Whether the server takes requests, and how each of its parts is."""

    ready: bool
    checks: dict[str, Any] = {}
