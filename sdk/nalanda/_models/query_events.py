"""The typed events of a question."""

from typing import Literal, TypeAlias

from nalanda._models.base import Model
from nalanda._models.questions import (
    Citation,
    QueryEvent,
    QueryResult,
    QueryStatus,
    RankedChunk,
    ReviewRequest,
    StageState,
)


class FoundHits(Model):
    """The hits that the answer may cite, and the position of the search."""

    hits: list[RankedChunk]
    position: int


class QueryError(Model):
    """The end of a question without a result."""

    status: QueryStatus
    detail: str | None = None


class Token(Model):
    """A piece of the answer, as the provider writes it."""

    text: str


class Retry(Model):
    """The answer is begun again: the tokens so far are void."""

    attempt: int


class StageEvent(Model):
    """A stage has begun, or has ended for good."""

    id: int
    event: Literal["stage"]
    data: StageState


class HitsEvent(Model):
    id: int
    event: Literal["hits"]
    data: FoundHits


class ReviewEvent(Model):
    """A review is awaited."""

    id: int
    event: Literal["review"]
    data: ReviewRequest


class TokenEvent(Model):
    id: int
    event: Literal["token"]
    data: Token


class RetryEvent(Model):
    """Drop the tokens that were shown."""

    id: int
    event: Literal["retry"]
    data: Retry


class CitationEvent(Model):
    id: int
    event: Literal["citation"]
    data: Citation


class ResultEvent(Model):
    """The last event of a question with a result."""

    id: int
    event: Literal["result"]
    data: QueryResult


class ErrorEvent(Model):
    """The last event of a question without a result."""

    id: int
    event: Literal["error"]
    data: QueryError


StreamEvent: TypeAlias = (
    StageEvent
    | HitsEvent
    | ReviewEvent
    | TokenEvent
    | RetryEvent
    | CitationEvent
    | ResultEvent
    | ErrorEvent
    | QueryEvent
)
"""An event; one of a kind that this client does not know is a `QueryEvent`."""

_KINDS: dict[str, type[Model]] = {
    "stage": StageEvent,
    "hits": HitsEvent,
    "review": ReviewEvent,
    "token": TokenEvent,
    "retry": RetryEvent,
    "citation": CitationEvent,
    "result": ResultEvent,
    "error": ErrorEvent,
}


def typed_event(event: QueryEvent) -> StreamEvent:
    """Return the event with its data as a model."""
    kind = _KINDS.get(event.event)
    if kind is None:
        return event
    typed: StreamEvent = kind.model_validate(event.model_dump())  # type: ignore[assignment]
    return typed
