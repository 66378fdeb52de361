"""Parts of the OpenAPI document: bodies, which handlers parse themselves, responses, problems."""

from typing import Any

from pydantic import BaseModel, Field

from api.http.bodies.binary import OCTETS
from api.http.bodies.json import JSON, MERGE_PATCH
from api.http.errors import MEDIA_TYPE, POSITION, phrase
from api.wire.streams import EventStream

MULTIPART = "multipart/form-data"
EVENT_STREAM = "text/event-stream"

REF = "#/components/schemas/{model}"

Responses = dict[int | str, dict[str, Any]]

OPEN = (400, 403, 421)
ANY = (*OPEN, 401)
READ = (*ANY, 404, 422, 503)
BODY = (*READ, 408, 413, 415, 502, 507)
WRITE = (*BODY, 409, 412)
"""Statuses of problems: of calls without a key, of all others, of reads, with a body, of writes."""


class FaultResponse(BaseModel):
    pointer: str = Field(description="JSON pointer into the body, or /NAME of a parameter.")
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FaultResponse] = []


def body_of(
    model: type[BaseModel], upload: type[BaseModel] | None = None, binary: str | None = None
) -> dict[str, Any]:
    """Return `openapi_extra` of a handler that parses its own body.

    `upload`: the model of an upload in place of JSON. `binary` describes octets in its place.
    """
    content = {JSON: _content_of(model)}
    if upload is not None:
        content[MULTIPART] = _content_of(upload)
    if binary is not None:
        content[OCTETS] = {"schema": {"type": "string", "format": "binary", "description": binary}}
    return {"requestBody": {"required": True, "content": content}}


def _content_of(model: type[BaseModel]) -> dict[str, Any]:
    example = model.model_json_schema()["examples"][0]
    return {"schema": {"$ref": REF.format(model=model.__name__)}, "example": example}


def patch_of(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """Return `openapi_extra` of a handler that takes a merge patch of a model."""
    description = (
        f"A JSON merge patch (RFC 7396) of a {model.__name__}: null resets a field to its "
        "default, and the server validates the result as a whole."
    )
    content = {"schema": {"type": "object", "description": description}, "example": example}
    return {"requestBody": {"required": True, "content": {MERGE_PATCH: content, JSON: content}}}


def responses_of(code: int, model: type[BaseModel] | None, *problems: int) -> Responses:
    """Return `responses` of a handler: the successful response and the problems."""
    success: dict[str, Any] = {
        "description": phrase(code),
        "headers": {POSITION: {"schema": {"type": "integer"}}},
    }
    if model is not None:
        success["model"] = model
    responses: Responses = {code: success}
    responses.update((problem, _problem(problem)) for problem in sorted(set(problems)))
    return responses


def event_stream(events: EventStream) -> dict[str, Any]:
    """Return the response of a handler that streams events."""
    content = {EVENT_STREAM: events.content(REF)}
    return {"description": "The events, as they occur.", "content": content}


NOT_MODIFIED: Responses = {304: {"description": "The client already has this version."}}


def _problem(code: int) -> dict[str, Any]:
    schema = {"$ref": REF.format(model=Problem.__name__)}
    return {"description": phrase(code), "content": {MEDIA_TYPE: {"schema": schema}}}
