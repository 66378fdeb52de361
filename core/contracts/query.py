"""What a question is, on its way through the workflow and back.

These models are the workflow's input, its queries' answers and its result; they go through
Temporal's history as JSON, so they hold ids, scores, positions, the question with its vector
and the answer, and never a chunk's text or vector.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from core.contracts.names import Stage

Base64Vector: TypeAlias = str
"""A vector as base64 of little-endian float32."""

SearchMode = Literal["vector", "lexical", "hybrid"]
QueryStatus = Literal["running", "completed", "failed", "cancelled", "timed_out"]
StageStatus = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]


class Contract(BaseModel):
    """Immutable; an unknown field is ignored, so that old code reads newer history."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class QueryRequest(Contract):
    """The workflow's input: the question, and what the API knew when it was asked.

    `instance_id`: the database that the question is for; questions of older APIs have none.
    `embedding_model`: null where a lexical question needs none.
    """

    library_id: str
    query: str
    embedding_model: str | None
    k: int = 40
    top_n: int = 5
    mode: SearchMode = "vector"
    filter: dict[str, Any] | None = None
    answer: bool = True
    deadline_s: float | None = None
    conversation_id: str | None = None
    min_position: int = 0
    instance_id: str | None = None


class RankedChunk(Contract):
    """A chunk in some order: which, at which version, and how it scored.

    `version` is the position of the write that made the chunk what it was when first
    retrieved. `score` is the search's; `rerank_score` the reranker's, higher is better.
    """

    chunk_id: str
    document_id: str
    version: int
    score: float
    rerank_score: float | None = None


class Citation(Contract):
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


class Usage(Contract):
    """What the providers counted; zero where a provider is free."""

    input_tokens: int = 0
    output_tokens: int = 0
    search_units: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            search_units=self.search_units + other.search_units,
        )


class QueryResult(Contract):
    """The answer, with everything it rests on.

    `degraded` names each thing that had to be done in a lesser way (`rerank`, `answer`,
    `deadline`, `changed:<chunk id>`); empty means that nothing was. Without an answer (none was
    asked for, or there was no time), `answer`, `provider` and `model` are empty. `timings_ms`
    has each stage that ran, and `total`.
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


class StageProgress(Contract):
    """One stage. `attempt` counts from 1 when it runs; while an activity is being retried only
    the server knows how often, and its description of the workflow's pending activities says."""

    name: Stage
    status: StageStatus = "pending"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0


class Feedback(Contract):
    """The signal `feedback`: what a reader thought of the answer."""

    rating: Annotated[int, Field(ge=-1, le=1)]
    comment: str | None = None


class Progress(Contract):
    """The answer to the query `progress`."""

    status: QueryStatus = "running"
    stage: Stage | None = None
    stages: list[StageProgress] = []
    error: str | None = None
    feedback: list[Feedback] = []


# What goes into each activity, and what comes out.


class StageInput(Contract):
    """`instance_id` is the question's; a worker of another instance refuses it."""

    instance_id: str | None = None


class PreprocessInput(StageInput):
    """Without an `embedding_model` the question stays words."""

    query: str
    embedding_model: str | None


class StageOutput(Contract):
    """`attempt` is the one that succeeded, from 1; set for all activities in one place."""

    attempt: int = 1


class Prepared(StageOutput):
    """The question as it will be searched for, and its vector; lexical ones may have none."""

    query: str
    embedding: Base64Vector | None
    usage: Usage = Usage()


class RetrieveInput(StageInput):
    library_id: str
    query: str
    embedding: Base64Vector | None
    k: int
    mode: SearchMode = "vector"
    filter: dict[str, Any] | None = None
    min_position: int = 0


class Retrieved(StageOutput):
    hits: list[RankedChunk]
    position: int


class RerankInput(StageInput):
    library_id: str
    query: str
    hits: list[RankedChunk]
    top_n: int
    position: int


class Reranked(StageOutput):
    """At most `top_n` hits, best first; `changed` are ids whose chunk is no longer as pinned."""

    hits: list[RankedChunk]
    changed: list[str] = []
    usage: Usage = Usage()


class AnswerInput(StageInput):
    """`extractive`: quote the best sentences, whatever the provider; the way out when it fails."""

    library_id: str
    query: str
    hits: list[RankedChunk]
    position: int
    extractive: bool = False


class Answered(StageOutput):
    answer: str
    citations: list[Citation]
    provider: str
    model: str
    changed: list[str] = []
    usage: Usage = Usage()
