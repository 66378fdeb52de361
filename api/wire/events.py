"""Wire models of a question's events, and the schema of the stream."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from api.wire.base import ResponseModel
from core.contracts.query import Citation, QueryResult, QueryStatus, RankedChunk, StageProgress


class HitsEvent(ResponseModel):
    """The hits that the answer may cite, and the position of the search."""

    hits: list[RankedChunk]
    position: int


class ErrorEvent(ResponseModel):
    """The status and error of a question without a result."""

    status: QueryStatus
    detail: str | None


EVENTS: Mapping[str, type[BaseModel]] = {
    "stage": StageProgress,
    "hits": HitsEvent,
    "citation": Citation,
    "result": QueryResult,
    "error": ErrorEvent,
}
"""The model of each event's data."""


QUESTION_EVENT = "QuestionEvent"


def question_event(ref_template: str) -> dict[str, Any]:
    """Return the schema of one event, by the fields of its lines."""
    kinds = [
        _event_schema(name, ref_template.format(model=model.__name__))
        for name, model in EVENTS.items()
    ]
    return {"title": QUESTION_EVENT, "oneOf": kinds}


def stream_content(ref_template: str) -> dict[str, Any]:
    """Return the media type object of a stream, as OpenAPI 3.2 defines it.

    `itemSchema` describes each event, and `schema` the whole stream.
    """
    event = {"$ref": ref_template.format(model=QUESTION_EVENT)}
    return {"schema": {"type": "array", "items": event}, "itemSchema": event}


def _event_schema(name: str, ref: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]{1,7}$"},
            "event": {"const": name},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": ref},
            },
        },
    }
