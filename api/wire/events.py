"""Wire models of a question's events."""

from api.wire.base import ResponseModel
from api.wire.streams import EventStream
from core.contracts.query import (
    Citation,
    QueryResult,
    QueryStatus,
    RankedChunk,
    ReviewRequest,
    StageProgress,
)


class HitsEvent(ResponseModel):
    """The hits that the answer may cite, and the position of the search."""

    hits: list[RankedChunk]
    position: int


class TokenEvent(ResponseModel):
    """A piece of the answer, as the provider writes it."""

    text: str


class RetryEvent(ResponseModel):
    """The answer is begun again: the tokens so far are void."""

    attempt: int


class ErrorEvent(ResponseModel):
    """The status and error of a question without a result."""

    status: QueryStatus
    detail: str | None


QUESTION_EVENTS = EventStream(
    "QuestionEvent",
    {
        "stage": StageProgress,
        "hits": HitsEvent,
        "review": ReviewRequest,
        "token": TokenEvent,
        "retry": RetryEvent,
        "citation": Citation,
        "result": QueryResult,
        "error": ErrorEvent,
    },
)
