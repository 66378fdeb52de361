"""Addition and deletion of many chunks in one request.

Programs send these requests in series, on the event loop that also answers searches. So the
handlers avoid FastAPI's dependencies, which cost a good part of a write.
"""

from fastapi import Request, Response, status
from fastapi.concurrency import run_in_threadpool

from api.http.bodies.json import json_body, parse
from api.http.dependencies import MinPosition, wait_for_position
from api.http.idempotency import IdempotencyKey, IdempotentRequest
from api.http.openapi import BODY, WRITE, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.chunks import (
    AddChunksRequest,
    ChunkResponse,
    ChunksResponse,
    DeleteChunksRequest,
    DeleteChunksResponse,
)
from core.domain.document import Chunk
from core.services.positioned import Positioned

router = Routes("chunks", "/libraries/{library_id}", waits=False)


@router.post(
    "/documents/{document_id}/chunks",
    status_code=status.HTTP_201_CREATED,
    body=AddChunksRequest,
    responses=responses_of(201, ChunksResponse, *WRITE),
)
async def add_chunks(
    request: Request,
    library_id: str,
    document_id: str,
    min_position: MinPosition = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    await wait_for_position(request, min_position)
    once = IdempotentRequest.of(request, idempotency_key, await json_body(request))
    return await run_in_threadpool(_add, once, library_id, document_id)


def _add(once: IdempotentRequest, library_id: str, document_id: str) -> Response:
    drafts = parse(AddChunksRequest, once.body).drafts()
    return once.respond(
        lambda before_commit: once.core.chunks.add(
            library_id, document_id, drafts, before_commit=before_commit
        ),
        _added_response,
    )


def _added_response(written: Positioned[list[Chunk]]) -> Response:
    items = [ChunkResponse.model_validate(chunk).model_dump() for chunk in written.value]
    return json_response({"items": items}, status.HTTP_201_CREATED, position=written.position)


@router.post(
    "/chunks/delete",
    body=DeleteChunksRequest,
    responses=responses_of(200, DeleteChunksResponse, *BODY),
)
async def delete_chunks(
    request: Request,
    library_id: str,
    min_position: MinPosition = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Delete the chunks with these ids that exist, or all chunks that match the filter."""
    await wait_for_position(request, min_position)
    once = IdempotentRequest.of(request, idempotency_key, await json_body(request))
    return await run_in_threadpool(_delete, once, library_id)


def _delete(once: IdempotentRequest, library_id: str) -> Response:
    wanted = parse(DeleteChunksRequest, once.body)
    return once.respond(
        lambda before_commit: once.core.chunks.delete_many(
            library_id, ids=wanted.ids, filter=wanted.filter, before_commit=before_commit
        ),
        lambda written: json_response({"deleted": written.value}, position=written.position),
    )
