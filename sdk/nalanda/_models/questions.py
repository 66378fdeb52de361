"""Models of questions and their results."""

from datetime import datetime
from typing import Any, Literal

from nalanda._models.base import Model
from nalanda._models.entities import Place

QueryStatus = Literal["running", "completed", "failed", "cancelled", "timed_out"]


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
    """The calls to providers, and the units that they billed; zero for a local provider."""

    input_tokens: int = 0
    output_tokens: int = 0
    search_units: int = 0
    calls: int = 0


class QueryResult(Model):
    """The result of a question; `degraded` names each fallback that was used.

    `degraded_because` says why, by the same name. `condensed_query` was searched for in the place
    of a follow-up.
    `answer` is `None` while the question runs, or for a `reason`: `nothing_relevant` was found, the
    `deadline` passed, or it was `not_asked`.
    """

    condensed_query: str | None = None
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
    `library` is an id, and `query` the beginning of the question. `conversation_id`: the
    conversation that it was asked in.
    """

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    conversation_id: str | None = None
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
