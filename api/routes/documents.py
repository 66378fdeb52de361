"""Routes of `/libraries/{library_id}/documents`."""

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Response, status

from api.http.bodies.json import merge, parse
from api.http.bodies.large_responses import page_response
from api.http.conditional import Guarded, IfNoneMatch
from api.http.cursors import CursorParameter, Cursors, Limit, cut
from api.http.dependencies import CoreOf
from api.http.errors import POSITION
from api.http.idempotency import IdempotentDelete, IdempotentPatch, IdempotentRequestOf
from api.http.openapi import BODY, NOT_MODIFIED, READ, WRITE, responses_of
from api.http.responses import json_response, no_content, read_response, written_response
from api.http.routing import Routes
from api.wire.documents import (
    DeleteDocumentsRequest,
    DeleteDocumentsResponse,
    DocumentRequest,
    DocumentResponse,
)
from api.wire.pages import DocumentPage
from core.contracts.ingest import FILE_HASH
from core.documents.errors import UnusableFile
from core.documents.isolation import shared_pool
from core.domain.document import Document, DocumentDraft
from core.domain.errors import NotFound
from core.domain.guards import Guard

MAX_IDS = 100
SCALE = "Nalanda-Scale"
_MAX_PAGE = 2**31 - 1

Ids = Annotated[
    list[str],
    Query(max_length=MAX_IDS, description="Ids of documents, at most 100; others are left out."),
]

Ingestion = Annotated[
    str | None,
    Header(
        alias="Nalanda-Ingestion",
        description="The ingestion that writes; 412 once this ingestion is cancelled.",
    ),
]


async def _guard(guard: Guarded, ingestion: Ingestion = None) -> Guard:
    return replace(guard, ingestion=ingestion)


GuardedIngestion = Annotated[Guard, Depends(_guard)]

router = Routes("documents", "/libraries/{library_id}/documents")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    body=DocumentRequest,
    responses=responses_of(201, DocumentResponse, *WRITE),
)
def create_document(library_id: str, once: IdempotentRequestOf) -> Response:
    draft = parse(DocumentRequest, once.body).draft()
    return once.respond(
        lambda before_commit: once.core.documents.create(
            library_id, draft, before_commit=before_commit
        ),
        lambda written: written_response(DocumentResponse, written),
    )


@router.get("", responses=responses_of(200, DocumentPage, *READ))
def list_documents(
    request: Request,
    core: CoreOf,
    library_id: str,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    id: Ids = [],  # noqa: A002, B006  # the parameter's name; FastAPI copies it
) -> Response:
    """List a library's documents in order of `id`; with ids, those of them that exist."""
    cursors = Cursors.of(core.store.cursor_key, request)
    after = cursors.take(cursor)
    if id:
        page = core.documents.get_many(
            library_id, [document_id for document_id in id if document_id > (after or "")]
        )
    else:
        page = core.documents.page(library_id, after=after, limit=limit + 1)
    documents, following = cut(page.value, limit, lambda document: document.id)
    items = [DocumentResponse.model_validate(document) for document in documents]
    return page_response(items, cursors.give(following), position=page.position)


@router.get("/{document_id}", responses=responses_of(200, DocumentResponse, *READ) | NOT_MODIFIED)
def get_document(
    core: CoreOf, library_id: str, document_id: str, if_none_match: IfNoneMatch = None
) -> Response:
    document = core.documents.get(library_id, document_id)
    response = DocumentResponse.model_validate(document.value)
    return read_response(response, position=document.position, if_none_match=if_none_match)


@router.put(
    "/{document_id}",
    body=DocumentRequest,
    responses=responses_of(200, DocumentResponse, *WRITE) | responses_of(201, DocumentResponse),
)
def put_document(
    library_id: str, document_id: str, once: IdempotentRequestOf, guard: GuardedIngestion
) -> Response:
    """Create or replace a document. Without `text` and `chunks`, its chunks stay; else they are
    replaced.
    """
    draft = parse(DocumentRequest, once.body).draft()
    return once.respond(
        lambda before_commit: once.core.documents.put(
            library_id, document_id, draft, guard=guard, before_commit=before_commit
        ),
        lambda written: written_response(DocumentResponse, written),
    )


@router.patch(
    "/{document_id}",
    body=DocumentRequest,
    example={"title": "Attention", "source": None},
    responses=responses_of(200, DocumentResponse, *WRITE),
)
def patch_document(
    library_id: str, document_id: str, once: IdempotentPatch, guard: Guarded
) -> Response:
    def edit(document: Document) -> DocumentDraft:
        return merge(DocumentRequest.of(document), once.body).draft()

    return once.respond(
        lambda before_commit: once.core.documents.update(
            library_id, document_id, edit, guard=guard, before_commit=before_commit
        ),
        lambda written: written_response(DocumentResponse, written),
    )


@router.delete(
    "/{document_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ, 412, 507),
)
def delete_document(
    library_id: str, document_id: str, once: IdempotentDelete, guard: Guarded
) -> Response:
    return once.respond(
        lambda before_commit: once.core.documents.delete(
            library_id, document_id, guard=guard, before_commit=before_commit
        ),
        lambda deleted: no_content(deleted.position),
    )


@router.post(
    "/delete",
    body=DeleteDocumentsRequest,
    responses=responses_of(200, DeleteDocumentsResponse, *BODY),
)
def delete_documents(library_id: str, once: IdempotentRequestOf) -> Response:
    """Delete the documents that exist, with their chunks, in one write; a document with another
    version than the given one stays.
    """
    versions = parse(DeleteDocumentsRequest, once.body).versions()
    return once.respond(
        lambda before_commit: once.core.documents.delete_many(
            library_id, versions, before_commit=before_commit
        ),
        lambda at: json_response(
            DeleteDocumentsResponse.model_validate(at.value).model_dump(), position=at.position
        ),
    )


@router.get(
    "/{document_id}/pages/{page}",
    response_class=Response,
    responses=responses_of(200, None, *READ)
    | {
        200: {
            "description": "The picture. An edge of a box times `Nalanda-Scale` is its pixel.",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                SCALE: {"schema": {"type": "number"}},
                POSITION: {"schema": {"type": "integer"}},
            },
        }
    },
)
def get_page(
    core: CoreOf,
    library_id: str,
    document_id: str,
    page: Annotated[int, Path(ge=1, le=_MAX_PAGE, description="The page, from 1.")],
) -> Response:
    """Draw a page of a PDF document whose file the server has kept."""
    document = core.documents.get(library_id, document_id)
    name = f"{document_id}/pages/{page}"
    sha256 = document.value.metadata.get(FILE_HASH)
    if not isinstance(sha256, str):
        raise NotFound("picture", name, position=document.position)
    try:
        picture = shared_pool().picture(b"".join(core.uploads.read(sha256)), page)
    except (NotFound, UnusableFile) as error:
        raise NotFound("picture", name, position=document.position) from error
    headers = {SCALE: str(picture.scale), POSITION: str(document.position)}
    return Response(picture.png, media_type="image/png", headers=headers)
