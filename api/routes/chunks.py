"""Routes of chunks: `…/documents/{document_id}/chunks` and `/libraries/{library_id}/chunks`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import Query, Request, Response, status

from api.http.bodies.json import JsonBody, merge, parse, parse_parameter
from api.http.bodies.large_responses import page_response
from api.http.conditional import Guarded, IfNoneMatch
from api.http.cursors import CursorParameter, Cursors, Limit, cut
from api.http.dependencies import CoreOf
from api.http.idempotency import IdempotentDelete, IdempotentPatch, IdempotentRequestOf
from api.http.openapi import BODY, NOT_MODIFIED, READ, WRITE, responses_of
from api.http.responses import no_content, read_response, written_response
from api.http.routing import Routes
from api.wire.chunks import (
    ChunkPatch,
    ChunkResponse,
    Include,
    ListChunksRequest,
    PutChunkRequest,
)
from api.wire.pages import ChunkPage
from core.bootstrap import Core
from core.domain.document import Chunk, ChunkDraft
from core.domain.errors import Invalid
from core.indexing.query.listing import After

router = Routes("chunks", "/libraries/{library_id}")

IncludeParameter = Annotated[
    list[Include], Query(description="`embedding`: return the embeddings, as lists.")
]
FilterParameter = Annotated[str | None, Query(description="A filter as in a search, as JSON.")]


@router.get("/documents/{document_id}/chunks", responses=responses_of(200, ChunkPage, *READ))
def list_chunks_of_document(
    request: Request,
    core: CoreOf,
    library_id: str,
    document_id: str,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    include: IncludeParameter = [],  # noqa: B006  # FastAPI copies it
) -> Response:
    """List a document's chunks in order of `ordinal`."""
    cursors = Cursors.of(core.store.cursor_key, request)
    after = cursors.take(cursor)
    page = core.chunks.page_of_document(
        library_id, document_id, after=after and tuple(after), limit=limit + 1
    )
    chunks, following = cut(page.value, limit, lambda chunk: (chunk.ordinal, chunk.id))
    items = _chunk_responses(core, library_id, chunks, include)
    return page_response(items, cursors.give(following), position=page.position)


@router.get("/chunks", responses=responses_of(200, ChunkPage, *READ))
def list_chunks(
    core: CoreOf,
    library_id: str,
    filter: FilterParameter = None,  # the contract's name
    order_by: Annotated[
        str | None,
        Query(
            description="A field as in a filter, `-field` for descending order; default: the id."
        ),
    ] = None,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    include: IncludeParameter = [],  # noqa: B006  # FastAPI copies it
) -> Response:
    wanted = filter and parse_parameter("filter", filter)
    return _list_page(
        core,
        library_id,
        ListChunksRequest.model_construct(
            filter=wanted, order_by=order_by, limit=limit, cursor=cursor, include=include
        ),
    )


@router.post(
    "/chunks/query",
    body=ListChunksRequest,
    writes=False,
    responses=responses_of(200, ChunkPage, *BODY),
)
def query_chunks(core: CoreOf, library_id: str, body: JsonBody) -> Response:
    """List chunks as the GET does, for a filter too long for a URL. Cursors fit both."""
    return _list_page(core, library_id, parse(ListChunksRequest, body))


@router.get("/chunks/{chunk_id}", responses=responses_of(200, ChunkResponse, *READ) | NOT_MODIFIED)
def get_chunk(
    core: CoreOf,
    library_id: str,
    chunk_id: str,
    include: IncludeParameter = [],  # noqa: B006  # FastAPI copies it
    if_none_match: IfNoneMatch = None,
) -> Response:
    chunk = core.chunks.get(library_id, chunk_id)
    (response,) = _chunk_responses(core, library_id, [chunk.value], include)
    return read_response(response, position=chunk.position, if_none_match=if_none_match)


@router.put(
    "/chunks/{chunk_id}",
    body=PutChunkRequest,
    responses=responses_of(200, ChunkResponse, *WRITE) | responses_of(201, ChunkResponse),
)
def put_chunk(
    library_id: str, chunk_id: str, once: IdempotentRequestOf, guard: Guarded
) -> Response:
    wanted = parse(PutChunkRequest, once.body)
    if wanted.id not in {None, chunk_id}:
        raise Invalid.at("/id", "The body's id must be the id in the path, or absent.")
    draft = replace(wanted.draft(), id=None)
    return once.respond(
        lambda before_commit: once.core.chunks.put(
            library_id,
            chunk_id,
            wanted.document_id,
            draft,
            guard=guard,
            before_commit=before_commit,
        ),
        lambda written: written_response(ChunkResponse, written),
    )


@router.patch(
    "/chunks/{chunk_id}",
    body=ChunkPatch,
    example={"metadata": {"year": 2018}},
    responses=responses_of(200, ChunkResponse, *WRITE),
)
def patch_chunk(library_id: str, chunk_id: str, once: IdempotentPatch, guard: Guarded) -> Response:
    """Apply a merge patch. New text without an embedding is embedded by the server."""

    def edit(chunk: Chunk) -> ChunkDraft:
        return merge(ChunkPatch.of(chunk), once.body).draft()

    return once.respond(
        lambda before_commit: once.core.chunks.update(
            library_id, chunk_id, edit, guard=guard, before_commit=before_commit
        ),
        lambda written: written_response(ChunkResponse, written),
    )


@router.delete(
    "/chunks/{chunk_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ, 412, 507),
)
def delete_chunk(
    library_id: str, chunk_id: str, once: IdempotentDelete, guard: Guarded
) -> Response:
    return once.respond(
        lambda before_commit: once.core.chunks.delete(
            library_id, chunk_id, guard=guard, before_commit=before_commit
        ),
        lambda deleted: no_content(deleted.position),
    )


def _list_page(core: Core, library_id: str, query: ListChunksRequest) -> Response:
    """Build the response for a page of a library's chunks.

    Raises:
        NotFound: there is no such library.
        Invalid: at `/cursor`, `/filter` or `/order_by`.
    """
    path = f"/libraries/{library_id}/chunks"
    cursors = Cursors(core.store.cursor_key, path, query.canonical())
    after = cursors.take(query.cursor)
    page = core.search.page(
        library_id,
        filter=query.filter,
        order_by=query.order_by,
        after=after and After.from_json(after),
        limit=query.limit,
    )
    items = _chunk_responses(core, library_id, page.value.chunks, query.include)
    following = page.value.after and page.value.after.to_json()
    return page_response(items, cursors.give(following), position=page.position)


def _chunk_responses(
    core: Core, library_id: str, chunks: Sequence[Chunk], include: Sequence[Include]
) -> list[ChunkResponse]:
    items = [ChunkResponse.model_validate(chunk) for chunk in chunks]
    if "embedding" not in include:
        return items
    embeddings = core.chunks.embeddings(library_id, [chunk.id for chunk in chunks])
    return [
        response.model_copy(update={"embedding": embeddings.get(response.id)}) for response in items
    ]
