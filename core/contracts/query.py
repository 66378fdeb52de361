"""The messages of a question's workflow: its input, its queries' results and its result.

The messages are in Temporal's history as JSON. So they have ids, scores, positions, the question
with its vector and the answer, and never a chunk's text or vector.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from core.contracts.base import Contract, is_absent
from core.contracts.budget import Budget, Usage

Base64Vector: TypeAlias = str
"""A vector as base64 of little-endian float32."""

SearchMode = Literal["vector", "lexical", "hybrid"]
NoAnswer = Literal["nothing_relevant", "deadline", "not_asked"]
QueryStatus = Literal["running", "completed", "failed", "cancelled", "timed_out"]
StageStatus = Literal["pending", "running", "completed", "failed", "cancelled", "skipped"]
ReviewDefault = Literal["approve", "fail"]
"""The outcome of a question that is not reviewed in time: answered as it is, or failed."""

REVIEW_TIMEOUT_S = 3 * 86_400.0
"""How long a question waits for a review by default: three days."""


class Stage(StrEnum):
    """The stages of a question, in order; each is the activity of the same name."""

    PREPROCESS = "preprocess"
    RETRIEVE = "retrieve"
    RERANK = "rerank"
    ANSWER = "answer"


EVENT_IDS: Mapping[Stage, int] = {
    Stage.PREPROCESS: 10,
    Stage.RETRIEVE: 20,
    Stage.RERANK: 30,
    Stage.ANSWER: 40,
}
"""First id of each stage's server-sent events, which take up to five ids each.

Clients resume by these ids, also after an upgrade, so a stage keeps its own. The id of a new stage
is between those of its neighbours.
"""


def _none_if_empty(text: object) -> object:
    return None if text == "" else text


Text: TypeAlias = Annotated[str | None, BeforeValidator(_none_if_empty)]
"""A text, or none; older workers sent an empty one for none."""


class EarlierTurn(Contract):
    """The beginnings of an earlier question of a conversation, and of its answer.

    `condensed_query`: what was searched for in the place of the question.
    """

    query: str
    condensed_query: str | None = None
    answer: str | None = None


class QueryRequest(Contract):
    """The workflow's input: the question and the parameters of its search.

    `instance_id`: the id of the question's database; older APIs send none. `embedding_model`:
    null for a lexical question. `review`: wait for a review of the hits before the answer, for
    `review_timeout_s`, after which `review_default` applies. `earlier`: go on from another
    question's stages. `turns`: the last turns of the question's conversation, in order.
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
    turns: list[EarlierTurn] = []
    min_position: int = 0
    instance_id: str | None = None
    review: bool = False
    review_timeout_s: float = REVIEW_TIMEOUT_S
    review_default: ReviewDefault = "fail"
    budget: Budget | None = Field(default=None, exclude_if=is_absent)
    earlier: "Earlier | None" = None


class RankedChunk(Contract):
    """A chunk of a ranking, with its version and scores.

    `version` is the chunk's version at its first retrieval. `score` is the search's, and
    `rerank_score` the reranker's; higher is better.
    """

    chunk_id: str
    document_id: str
    version: int
    score: float
    rerank_score: float | None = None


class CitedPlace(Contract):
    """The place of the quoted chunk; `page` and `line`, where the chunk begins, count from 1.

    `source` is the document's, and so is the `title` of a chunk without one. `box`: the left, top,
    right and bottom edge on the page, in PDF points from its top left corner.
    """

    source: str | None = None
    title: str | None = None
    headings: list[str] = []
    page: int | None = Field(default=None, exclude_if=is_absent)
    box: tuple[float, float, float, float] | None = Field(default=None, exclude_if=is_absent)
    line: int | None = Field(default=None, exclude_if=is_absent)


class Citation(Contract):
    """A span of the answer, `answer[start:end]`, and the chunk's text that supports it.

    `quote` is the chunk's text at `quote_start:quote_end`. Offsets count Unicode code points, the
    end exclusive. `place` is null in answers of older workers.
    """

    start: int
    end: int
    chunk_id: str
    document_id: str
    quote: str
    quote_start: int
    quote_end: int
    place: CitedPlace | None = None


class QueryResult(Contract):
    """The answer, with its citations and hits.

    `condensed_query` is what was searched for in the place of a follow-up; left out if the question
    stood on its own. `degraded` names each fallback that was taken (`condense`, `rerank`, `answer`,
    `deadline`, `changed:<chunk id>`), and is empty for none. `degraded_because` says why, by the
    same name; a changed chunk needs no reason. Without an answer, `reason` says why once the
    question is over, and `provider` and `model` are empty unless one was asked for an answer.
    `timings_ms` has each stage that ran, and `total`.
    """

    condensed_query: str | None = Field(default=None, exclude_if=is_absent)
    answer: Text = None
    reason: NoAnswer | None = None
    citations: list[Citation] = []
    hits: list[RankedChunk] = []
    position: int
    degraded: list[str] = []
    degraded_because: dict[str, str] = {}
    provider: str = ""
    model: str = ""
    usage: Usage = Usage()
    timings_ms: dict[str, float] = {}


class StageProgress(Contract):
    """The progress of one stage; `attempt` counts from 1, and is 0 before the stage runs.

    During retries only the Temporal server knows the attempt, `last_failure` and `next_attempt_at`,
    in the workflow's pending activities.
    """

    name: Stage
    status: StageStatus = "pending"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    last_failure: str | None = None
    next_attempt_at: datetime | None = None


Rating: TypeAlias = Annotated[int, Field(ge=-1, le=1, description="1: good, -1: bad.")]


class Feedback(Contract):
    """The signal `feedback`: a reader's rating of the answer."""

    rating: Rating
    comment: str | None = None


class Preview(Contract):
    """The result of the query `preview`: what an answer would be made from now.

    `query`: the question, normalised. `hits`: what the answer is made from, best first.
    `candidates`: the other chunks that the search has found, which a review may pin.
    """

    query: str
    hits: list[RankedChunk]
    candidates: list[RankedChunk] = []
    position: int


class ReviewRequest(Preview):
    """A preview that a reviewer is asked about; at the time `until` the default applies."""

    until: datetime


class Progress(Contract):
    """The result of the query `progress`; `reviews` has each request for a review, in order."""

    status: QueryStatus = "running"
    stage: Stage | None = None
    stages: list[StageProgress] = []
    error: str | None = None
    feedback: list[Feedback] = []
    waiting_for: Literal["review"] | None = None
    reviews: list[ReviewRequest] = []


# Inputs and outputs of the activities.


class StageInput(Contract):
    """An activity's input; a worker of another instance than `instance_id` refuses it."""

    instance_id: str | None = None


class BilledInput(StageInput):
    """The input of an activity that may call a provider; `budget` is what it may spend."""

    budget: Budget | None = Field(default=None, exclude_if=is_absent)

    @property
    def most_calls(self) -> int:
        """Return how many calls one attempt may make."""
        return 1


class PreprocessInput(BilledInput):
    """The input of `preprocess`; without an `embedding_model` the question gets no vector.

    `turns`: the last turns of its conversation, from which a follow-up is condensed.
    """

    query: str
    embedding_model: str | None
    turns: list[EarlierTurn] = []

    @property
    def most_calls(self) -> int:
        return 2 if self.turns else 1


class StageOutput(Contract):
    """An activity's output; `attempt` is the one that succeeded, from 1.

    `attempt` is set for all activities in one place.
    """

    attempt: int = 1


def _is_zero(value: object) -> bool:
    return value == 0


class BilledOutput(StageOutput):
    """The output of an activity that may call a provider, and the usage of all its attempts.

    `usage.calls` is set for all activities in one place, and so is `estimated_tokens`: those of
    calls that failed, and reported none.
    """

    usage: Usage = Usage()
    estimated_tokens: int = Field(default=0, exclude_if=_is_zero)


class PreprocessOutput(BilledOutput):
    """The question as searched for, and its vector; a lexical question may have none.

    `is_condensed`: it stands in the place of a follow-up. `condense_failure`: why the provider has
    not condensed it. `refused`: why the budget allowed no embedding.
    """

    query: str
    embedding: Base64Vector | None
    is_condensed: bool = False
    condense_failure: str | None = None
    refused: str | None = Field(default=None, exclude_if=is_absent)


class Earlier(Contract):
    """Another question, from whose findings this one goes on at the stage `stage`.

    `retrieved`: the hits of its search, and `ranked`: those that it was answered from; both at
    `position`. `until`: the position up to which a new search may see chunks, if it is bounded.
    """

    workflow_id: str
    stage: Stage
    prepared: PreprocessOutput
    retrieved: list[RankedChunk] = []
    ranked: list[RankedChunk] = []
    position: int = 0
    until: int | None = None


QueryRequest.model_rebuild()


class RetrieveInput(StageInput):
    """The input of `retrieve`; `embedding_model` is that of the embedding."""

    library_id: str
    query: str
    embedding: Base64Vector | None
    embedding_model: str | None = None
    k: int
    mode: SearchMode = "vector"
    filter: dict[str, Any] | None = None
    min_position: int = 0


class RetrieveOutput(StageOutput):
    hits: list[RankedChunk]
    position: int


class RerankInput(BilledInput):
    library_id: str
    query: str
    hits: list[RankedChunk]
    top_n: int
    position: int


class RerankOutput(BilledOutput):
    """The output of `rerank`: at most `top_n` hits, best first.

    `changed` has the ids of chunks whose version is no longer the retrieved one.
    """

    hits: list[RankedChunk]
    changed: list[str] = []


class AnswerInput(BilledInput):
    """The input of `answer`; `extractive` quotes the best sentences, without the provider.

    `call`: how often the question has called the stage before.
    """

    library_id: str
    query: str
    hits: list[RankedChunk]
    position: int
    extractive: bool = False
    call: int = 0


class AnswerOutput(BilledOutput):
    """The output of `answer`; without an answer nothing relevant was found."""

    answer: Text
    citations: list[Citation]
    provider: str
    model: str
    changed: list[str] = []
