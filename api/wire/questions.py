"""Wire models of questions; a result is the workflow's own contract."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.wire.base import JsonObject, RequestModel, ResponseModel
from api.wire.pages import Page
from core.contracts.query import (
    Feedback,
    QueryResult,
    QueryStatus,
    Rating,
    SearchMode,
    Stage,
    StageProgress,
)

MAX_WAIT_S = 60


def _not_blank(query: str) -> str:
    """Check that the question is not blank.

    Raises:
        PydanticCustomError: the question has only white space.
    """
    if not query.strip():
        raise PydanticCustomError("blank", "The question must not be blank.")
    return query


class QuestionRequest(RequestModel):
    """A question to a library."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"library": "papers", "query": "What is attention?", "top_n": 3}]
        }
    )

    library: str = Field(description="Id or name of the library.")
    query: Annotated[str, AfterValidator(_not_blank)] = Field(
        max_length=10_000, json_schema_extra={"minLength": 1, "pattern": "\\S"}
    )
    k: int = Field(default=40, ge=1, le=1000, description="Number of candidates to retrieve.")
    top_n: int = Field(default=5, ge=1, le=100, description="Number of candidates to answer from.")
    mode: SearchMode = Field(default="hybrid", description="Search mode of the retrieval.")
    filter: JsonObject | None = None
    answer: bool = Field(default=True, description="False: return only the hits.")
    review: bool = Field(default=False, description="Not available in this release.")
    deadline_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    conversation_id: str | None = Field(default=None, max_length=128)


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

    `library` is an id, and `query` the beginning of the question. `result` is partial while the
    question runs; `stages` is empty while no worker responds. `waiting_for` says what a running
    question waits for. `feedback` is in order of arrival.
    """

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: Stage | None
    stages: list[StageProgress]
    waiting_for: Literal["worker"] | None = None
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


class AcceptedResponse(ResponseModel):
    workflow_id: str
