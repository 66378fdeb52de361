"""Models of responses; unknown fields are ignored."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from nalanda._vectors import unpack

Metric = Literal["cosine", "dot", "l2"]
IndexKind = Literal["auto", "flat", "ivf", "hnsw"]
FieldType = Literal["string", "integer", "number", "boolean", "datetime", "string_list"]
QueryStatus = Literal["running", "completed", "failed", "cancelled", "timed_out"]
IngestionStatus = Literal["running", "paused", "completed", "failed", "cancelled"]
Box = tuple[float, float, float, float]
Embedding = Annotated[list[float], BeforeValidator(unpack)]
"""Floats, from a list or base64."""


class Model(BaseModel):
    # Building all validators takes longer than most commands need for the rest of their work.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class FieldRule(Model):
    type: FieldType
    required: bool = False
    enum: list[Any] | None = None


class MetadataSchema(Model):
    """A metadata schema; `additional` allows fields that it does not name."""

    fields: dict[str, FieldRule] = {}
    additional: bool = True


class Entity(Model):
    """An entity; `version` grows with each write. Pass it as `if_match` to overwrite only this
    version.
    """

    id: str
    version: int
    created_at: datetime
    updated_at: datetime


class Library(Entity):
    """A library; the first vector sets `dimension` and `embedding_model` if they are `None`."""

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


class DeletedDocuments(Model):
    """The number of deleted documents, and the ids of those that have another version."""

    deleted: int
    changed: list[str] = []


class BoxedText(Model):
    """The box of a chunk's text from `start`, in Unicode code points, to the start of the next."""

    start: int
    box: Box


class Place(Model):
    """The place of a chunk in its source; `page` and `line` count from 1.

    `headings`: outermost first. `box`: the left, top, right and bottom edge on the page, in PDF
    points from its top left corner. `boxes`: those of the text's sentences or rows, ascending by
    their starts; `None` if `box` is all that is known.
    """

    title: str | None = None
    headings: list[str] = []
    page: int | None = None
    box: Box | None = None
    line: int | None = None
    boxes: list[BoxedText] | None = None


class Chunk(Entity):
    """A chunk; `ordinal` orders the chunks of its document, `embedding` is present if `include`
    names it.
    """

    document_id: str
    library_id: str
    ordinal: int
    text: str
    metadata: dict[str, Any] = {}
    place: Place | None = None
    embedding: Embedding | None = None


class Recall(Model):
    """Measured recall of an index.

    `measured`: the mean recall of the last `searches` searches. `worst_tenth`: the mean recall of
    the worst tenth of them; `None` from an older server.
    """

    measured: float
    worst_tenth: float | None = None
    searches: int


class Index(Model):
    """The state of an index.

    `vectors`: searchable vectors. `deleted`: deleted vectors whose space is not free yet. `state`:
    `ready`, `building` or `failed`; `error` has the cause.
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
    """A hit; a higher `score` is better for every metric. Fields not in `include` are `None`.

    A hit with its `text` has its `place` too.
    """

    chunk_id: str
    document_id: str
    score: float
    version: int
    text: str | None = None
    place: Place | None = None
    metadata: dict[str, Any] | None = None
    document: HitDocument | None = None
    embedding: Embedding | None = None


class Plan(Model):
    """The execution plan of a search.

    `matches` counts the chunks that passed the filter; `unknown_fields` names the filter's fields
    that no chunk has.
    """

    index: str
    filter: str
    matches: int | None = None
    exact: bool
    unknown_fields: list[str] = []


class SearchResult(Model):
    """The hits of a search at `position`, best first."""

    hits: list[Hit]
    plan: Plan
    position: int
    took_ms: float


class QueryHandle(Model):
    """A started question, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None = None


class RankedChunk(Model):
    """A ranked chunk; `version` is that of the retrieved chunk."""

    chunk_id: str
    document_id: str
    version: int
    score: float
    rerank_score: float | None = None


class CitedPlace(Place):
    """The place of a quoted chunk, with the source of its document, and its title if need be."""

    source: str | None = None


class Citation(Model):
    """A citation: `answer[start:end]` rests on `quote`, the chunk's text at
    `quote_start:quote_end`.

    Offsets count Unicode code points, the end exclusive. `place` is `None` from older servers.
    """

    start: int
    end: int
    chunk_id: str
    document_id: str
    quote: str
    quote_start: int
    quote_end: int
    place: CitedPlace | None = None


class Usage(Model):
    """The providers' usage; zero for a free provider."""

    input_tokens: int = 0
    output_tokens: int = 0
    search_units: int = 0


class QueryResult(Model):
    """The result of a question; `degraded` names each fallback that was used.

    `degraded_because` says why, by the same name.
    `answer` is `None` while the question runs, or for a `reason`: `nothing_relevant` was found, the
    `deadline` passed, or it was `not_asked`.
    """

    answer: str | None = None
    reason: str | None = None
    citations: list[Citation] = []
    hits: list[RankedChunk] = []
    position: int
    degraded: list[str] = []
    degraded_because: dict[str, str] = {}
    provider: str = ""
    model: str = ""
    usage: Usage = Usage()
    timings_ms: dict[str, float] = {}


class StageState(Model):
    """A stage; `status` is pending, running, completed, failed, cancelled or skipped.

    `last_failure` and `next_attempt_at` are of a stage that is tried again.
    """

    name: str
    status: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    last_failure: str | None = None
    next_attempt_at: datetime | None = None


class Feedback(Model):
    rating: int
    comment: str | None = None


class Preview(Model):
    """The hits that an answer would be made from; `candidates` are the other chunks found."""

    query: str
    hits: list[RankedChunk]
    candidates: list[RankedChunk] = []
    position: int


class ReviewRequest(Preview):
    """A preview that a reviewer is asked about until a time, when the default applies."""

    until: datetime


class QueryState(Model):
    """The state of a question; `result` may be partial while it runs.

    `waiting_for` is `worker` while no worker takes it, and `review` while it waits for a review;
    the last of `reviews` has what is to be reviewed.
    `library` is an id, and `query` the beginning of the question.
    """

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: str | None = None
    stages: list[StageState] = []
    waiting_for: str | None = None
    result: QueryResult | None = None
    error: str | None = None
    feedback: list[Feedback] = []
    reviews: list[ReviewRequest] = []

    @property
    def closed(self) -> bool:
        return self.status != "running"


class QueryEvent(Model):
    """An event of a question or an ingestion, with its JSON.

    Of a question: `stage`, `hits`, `review`, `token`, `retry`, `citation`, `result` or `error`. Of
    an ingestion: `file`, `progress`, `result` or `error`.

    `id` grows; pass the last one as `last_event_id` to resume after it.
    """

    id: int
    event: str
    data: dict[str, Any]


class Move(Model):
    """The ranks of a hit before and after, from 1."""

    chunk_id: str
    before: int
    after: int


class HitsDiff(Model):
    gained: list[RankedChunk]
    lost: list[RankedChunk]
    moved: list[Move]


class AnswerDiff(Model):
    before: str | None
    after: str | None


class CitationsDiff(Model):
    gained: list[Citation]
    lost: list[Citation]


class QueryDiff(Model):
    """The hits and citations that a result has gained, lost and moved, and both answers."""

    hits: HitsDiff
    answer: AnswerDiff
    citations: CitationsDiff


class TakenTokens(Model):
    """The number of texts of an answer that the server has."""

    taken: int


class QuerySummary(Model):
    """A question in a listing; `library` is an id, and `query` the beginning of the question."""

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class IngestionHandle(Model):
    """A started ingestion, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None = None


class FileCounts(Model):
    total: int
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    removed: int = 0
    pruned: int = 0


class FileFailure(Model):
    """A file that was not ingested, and why."""

    source: str
    detail: str


class Ingestion(Model):
    """The state of an ingestion; `chunks` counts those of added and changed documents.

    `waiting_for` is `worker` while no worker takes it. `last_failure` and `next_attempt_at` are of
    what is tried again.
    """

    workflow_id: str
    status: IngestionStatus
    library: str | None = None
    files: FileCounts
    chunks: int = 0
    failures: list[FileFailure] = []
    waiting_for: str | None = None
    last_failure: str | None = None
    next_attempt_at: datetime | None = None
    error: str | None = None
    started_at: datetime
    ended_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.status not in {"running", "paused"}


class Version(Model):
    """A server's version; `instance_id` identifies its database (`None` from older servers)."""

    version: str
    instance_id: str | None = None


class Readiness(Model):
    """The readiness of the server and of each of its parts."""

    ready: bool
    checks: dict[str, Any] = {}
