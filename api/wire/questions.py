"""Wire models of questions; a result is the workflow's own contract."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.wire.base import JsonObject, RequestModel, ResponseModel
from api.wire.pages import Page
from core.contracts.query import (
    REVIEW_TIMEOUT_S,
    Citation,
    Feedback,
    Preview,
    QueryResult,
    QueryStatus,
    RankedChunk,
    Rating,
    ReviewDefault,
    ReviewRequest,
    SearchMode,
    Stage,
    StageProgress,
)
from core.contracts.review import (
    MAX_CANDIDATES,
    MAX_KEPT,
    MAX_REVIEW_TIMEOUT_S,
    Adjustment,
    Decision,
    Review,
)

MAX_WAIT_S = 60
MAX_BUDGET = 1_000_000_000


def _not_blank(query: str) -> str:
    """Check that the question is not blank.

    Raises:
        PydanticCustomError: the question has only white space.
    """
    if not query.strip():
        raise PydanticCustomError("blank", "The question must not be blank.")
    return query


Question = Annotated[
    str,
    AfterValidator(_not_blank),
    Field(max_length=10_000, json_schema_extra={"minLength": 1, "pattern": "\\S"}),
]


class BudgetRequest(RequestModel):
    """Limits to what a question spends on providers; the server has defaults for both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"calls": 3}], "minProperties": 1})

    tokens: int | None = Field(
        default=None, ge=1, le=MAX_BUDGET, description="Tokens of all calls, in and out."
    )
    calls: int | None = Field(
        default=None, ge=1, le=MAX_BUDGET, description="Calls of all stages, failed ones included."
    )

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        """Check that a limit is given.

        Raises:
            PydanticCustomError: none is.
        """
        if self.tokens is None and self.calls is None:
            raise PydanticCustomError("empty", "Give at least one of tokens and calls.")
        return self


class QuestionRequest(RequestModel):
    """A question to a library."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"library": "papers", "query": "What is attention?", "top_n": 3}]
        }
    )

    library: str = Field(description="Id or name of the library.")
    query: Question
    k: int = Field(
        default=40, ge=1, le=MAX_CANDIDATES, description="Number of candidates to retrieve."
    )
    top_n: int = Field(
        default=5, ge=1, le=MAX_KEPT, description="Number of candidates to answer from."
    )
    mode: SearchMode = Field(default="hybrid", description="Search mode of the retrieval.")
    filter: JsonObject | None = None
    answer: bool = Field(default=True, description="False: return only the hits.")
    review: bool = Field(default=False, description="Wait for a review of the hits.")
    review_timeout_s: float = Field(
        default=REVIEW_TIMEOUT_S, gt=0, le=MAX_REVIEW_TIMEOUT_S, allow_inf_nan=False
    )
    review_default: ReviewDefault = Field(
        default="fail", description="the outcome if no review comes in time"
    )
    deadline_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    conversation_id: str | None = Field(
        default=None, max_length=128, description="Ask the question as a turn of a conversation."
    )
    budget: BudgetRequest | None = None


class AdjustmentRequest(RequestModel):
    """New values of a question's parameters; those that are left out stay."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"top_n": 3}], "minProperties": 1})

    k: int = Field(default=40, ge=1, le=MAX_CANDIDATES)
    top_n: int = Field(default=5, ge=1, le=MAX_KEPT)
    mode: SearchMode = "hybrid"
    filter: JsonObject | None = Field(default=None, description="null: no filter.")

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        """Check that a parameter is given.

        Raises:
            PydanticCustomError: none is.
        """
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "Give at least one of k, top_n, mode and filter.")
        return self

    def adjustment(self) -> Adjustment:
        return Adjustment(**self.model_dump(exclude_unset=True))


class RerunRequest(RequestModel):
    """A finished question asked again from a stage on, with other parameters.

    `at`: `then` uses the chunks as the first question saw them, `now` as they are.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": "rerank", "top_n": 3}]})

    stage: Literal["retrieve", "rerank", "answer"] = Field(
        alias="from", description="The first stage to run again."
    )
    at: Literal["then", "now"] = "then"
    k: int = Field(default=40, ge=1, le=MAX_CANDIDATES)
    top_n: int = Field(default=5, ge=1, le=MAX_KEPT)
    mode: SearchMode = "hybrid"
    filter: JsonObject | None = Field(default=None, description="null: no filter.")

    @property
    def changes(self) -> dict[str, object]:
        """Return the given parameters by name."""
        return self.model_dump(exclude_unset=True, exclude={"stage", "at"})


class TokensRequest(RequestModel):
    """Pieces of an answer that a worker's provider is writing.

    `series` counts the attempts at the answer from 0, and `before` the texts that were sent before.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"series": 0, "before": 0, "texts": ["Nine "]}]}
    )

    series: int = Field(ge=0, le=1_000_000)
    before: int = Field(ge=0, le=1_000_000)
    texts: Annotated[list[Annotated[str, Field(max_length=10_000)]], Field(max_length=1000)]


ChunkIds = Annotated[list[str], Field(max_length=MAX_CANDIDATES)]


class ReviewDecision(RequestModel):
    """A reviewer's decision about the chunks that the question would be answered from."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decision": "approve", "drop": ["c1"]}]}
    )

    decision: Decision
    drop: ChunkIds = Field(default_factory=list, description="Chunks not to answer from.")
    pin: ChunkIds = Field(default_factory=list, description="Chunks to answer from first.")
    query: Question | None = Field(
        default=None, description="A question to search for in place of the first one."
    )

    def review(self) -> Review:
        return Review(**self.model_dump())


class FeedbackRequest(RequestModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"rating": 1, "comment": "Right."}]})

    rating: Rating
    comment: str | None = Field(default=None, max_length=10_000)

    def feedback(self) -> Feedback:
        return Feedback(rating=self.rating, comment=self.comment)


class HandleResponse(ResponseModel):
    """A started question, and the URLs to follow it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None


class AnswerResponse(HandleResponse, QueryResult):
    """The result of a question within `wait_s`, and the URLs of its workflow."""


class QuestionResponse(ResponseModel):
    """The state of a question.

    `library` is an id, and `query` the beginning of the question. `conversation_id`: the
    conversation that it was asked in, also once that has ended. `result` is partial while the
    question runs; `stages` is empty while no worker responds. `waiting_for` says what a running
    question waits for. `reviews` has each request for a review, in order.
    `feedback` is in order of arrival.
    """

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    conversation_id: str | None = None
    stage: Stage | None
    stages: list[StageProgress]
    waiting_for: Literal["worker", "review"] | None = None
    reviews: list[ReviewRequest] = Field(default_factory=list)
    result: QueryResult | None = None
    error: str | None = None
    feedback: list[Feedback] = Field(default_factory=list)


class QuestionSummary(ResponseModel):
    """A question in a listing; `library` is an id, and `query` the beginning of the question."""

    workflow_id: str
    library: str | None
    query: str | None
    status: QueryStatus
    stage: str | None
    started_at: datetime
    ended_at: datetime | None


class QuestionPage(Page):
    items: list[QuestionSummary]


class ReviewedResponse(ResponseModel, Preview):
    """The hits that a review leaves of those that were offered; the question goes on with them."""

    workflow_id: str


class Move(ResponseModel):
    """The ranks of a hit in the two results, from 1."""

    chunk_id: str
    before: int
    after: int


class HitsDiff(ResponseModel):
    gained: list[RankedChunk]
    lost: list[RankedChunk]
    moved: list[Move]


class AnswerDiff(ResponseModel):
    before: str | None
    after: str | None


class CitationsDiff(ResponseModel):
    gained: list[Citation]
    lost: list[Citation]


class DiffResponse(ResponseModel):
    """The hits and citations that another result has gained, lost and moved, and both answers."""

    hits: HitsDiff
    answer: AnswerDiff
    citations: CitationsDiff


class TokensResponse(ResponseModel):
    """The number of texts that the server has; earlier ones are to be sent again."""

    taken: int


class AcceptedResponse(ResponseModel):
    workflow_id: str
