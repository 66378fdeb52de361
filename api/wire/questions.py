"""Questions on the wire; results are the workflow's own contract."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.wire.base import Answer, Body, JsonObject
from api.wire.pages import Page
from core.contracts.names import Stage
from core.contracts.query import (
    Feedback,
    QueryResult,
    QueryStatus,
    SearchMode,
    StageProgress,
)

MAX_WAIT_S = 60


def _not_blank(query: str) -> str:
    """Raises: PydanticCustomError: there is nothing but white space."""
    if not query.strip():
        raise PydanticCustomError("blank", "The question is blank: ask something in words.")
    return query


class QueryBody(Body):
    """A question to a library."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"library": "papers", "query": "What is attention?", "top_n": 3}]
        }
    )

    library: str = Field(description="An id or a name.")
    query: Annotated[str, AfterValidator(_not_blank)] = Field(
        max_length=10_000, json_schema_extra={"minLength": 1, "pattern": "\\S"}
    )
    k: int = Field(default=40, ge=1, le=1000, description="How many candidates are retrieved.")
    top_n: int = Field(default=5, ge=1, le=100, description="How many of them are kept.")
    mode: SearchMode = Field(default="hybrid", description="How the candidates are found.")
    filter: JsonObject | None = None
    answer: bool = Field(default=True, description="False: only the hits are wanted.")
    review: bool = Field(default=False, description="Comes with a later release.")
    deadline_s: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    conversation_id: str | None = Field(default=None, max_length=128)


class FeedbackBody(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"rating": 1, "comment": "Right."}]})

    rating: int = Field(ge=-1, le=1, description="1: good, -1: bad.")
    comment: str | None = Field(default=None, max_length=10_000)

    def feedback(self) -> Feedback:
        return Feedback(rating=self.rating, comment=self.comment)


class HandleAnswer(Answer):
    """A question that was started, and where to watch it."""

    workflow_id: str
    run_id: str
    status_url: str
    events_url: str
    temporal_ui_url: str | None


class AnsweredAnswer(HandleAnswer, QueryResult):
    """The result of a question that was waited for, and where the rest of it is."""


class QuestionAnswer(Answer):
    """`result` is partial while it is running; `stages` is empty while no worker can tell.
    `feedback` is in the order in which it was given. `library` is an id, and `query` the beginning
    of the question."""

    workflow_id: str
    status: QueryStatus
    library: str | None = None
    query: str | None = None
    stage: Stage | None
    stages: list[StageProgress]
    result: QueryResult | None = None
    error: str | None = None
    feedback: list[Feedback] = Field(default_factory=list)


class QuestionSummary(Answer):
    """A question in a listing; `library` is the library's id, `query` the question's beginning."""

    workflow_id: str
    library: str | None
    query: str | None
    status: QueryStatus
    stage: str | None
    started_at: datetime
    ended_at: datetime | None


class QuestionPage(Page):
    items: list[QuestionSummary]


class AcceptedAnswer(Answer):
    workflow_id: str
