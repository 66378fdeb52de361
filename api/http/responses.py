"""Successful responses: JSON bytes, the position that they reflect, and the entity's ETag."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response, status
from starlette.background import BackgroundTask

from api.http.conditional import etag, is_unchanged
from api.http.errors import POSITION
from api.wire.base import EntityResponse
from core.indexing.maintenance import malloc
from core.services.positioned import Positioned

_TRIMMED_BYTES = 1024 * 1024
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z


def json_response(
    content: object,
    code: int = status.HTTP_200_OK,
    *,
    position: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build a JSON response from plain values, as `dumps` takes them, or from serialised JSON."""
    all_headers = dict(headers or {})
    if position is not None:
        all_headers[POSITION] = str(position)
    body = content if isinstance(content, bytes) else dumps(content)
    response = Response(body, code, all_headers, media_type="application/json")
    if len(body) > _TRIMMED_BYTES:
        response.background = BackgroundTask(malloc.trim)
    return response


def dumps(content: object) -> bytes:
    """Serialise plain values, including date-times and float32 arrays."""
    return orjson.dumps(content, option=_OPTIONS)


def written_response(model: type[EntityResponse], written: Positioned[Any]) -> Response:
    """Return the written entity: 201 with its `Location` if the write created it, else 200."""
    entity = model.model_validate(written.value)
    if not written.is_new:
        return _entity_response(entity, position=written.position)
    response = _entity_response(entity, status.HTTP_201_CREATED, position=written.position)
    response.headers["Location"] = entity.path
    return response


def read_response(
    response: EntityResponse, *, position: int, if_none_match: str | None
) -> Response:
    """Return the entity, or 304 if the client has the current version.

    Raises:
        HTTPException: 400, `If-None-Match` is malformed.
    """
    if is_unchanged(if_none_match, response.version):
        headers = {"ETag": etag(response.version), POSITION: str(position)}
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return _entity_response(response, position=position)


def _entity_response(
    entity: EntityResponse, code: int = status.HTTP_200_OK, *, position: int
) -> Response:
    headers = {"ETag": etag(entity.version)}
    return json_response(entity.model_dump(), code, position=position, headers=headers)


def accepted_response(workflow_id: str, position: int) -> Response:
    """Return 202 for a request to a workflow that will act on it."""
    return json_response({"workflow_id": workflow_id}, status.HTTP_202_ACCEPTED, position=position)


def no_content(position: int) -> Response:
    return Response(status_code=status.HTTP_204_NO_CONTENT, headers={POSITION: str(position)})
