"""Routes of `/libraries`."""

from typing import Annotated

from fastapi import Query, Request, Response, status

from api.http.bodies.json import merge, parse
from api.http.bodies.large_responses import page_response
from api.http.conditional import Guarded, IfNoneMatch
from api.http.cursors import CursorParameter, Cursors, Limit, cut
from api.http.dependencies import CoreOf
from api.http.idempotency import IdempotentDelete, IdempotentPatch, IdempotentRequestOf
from api.http.openapi import NOT_MODIFIED, READ, WRITE, responses_of
from api.http.responses import no_content, read_response, written_response
from api.http.routing import Routes
from api.wire.libraries import LibraryRequest, LibraryResponse
from api.wire.pages import LibraryPage
from core.domain.library import Library, LibraryDraft

router = Routes("libraries")


@router.post(
    "/libraries",
    status_code=status.HTTP_201_CREATED,
    body=LibraryRequest,
    responses=responses_of(201, LibraryResponse, *WRITE),
)
def create_library(once: IdempotentRequestOf) -> Response:
    draft = parse(LibraryRequest, once.body).draft()
    return once.respond(
        lambda before_commit: once.core.libraries.create(draft, before_commit=before_commit),
        lambda written: written_response(LibraryResponse, written),
    )


@router.get("/libraries", responses=responses_of(200, LibraryPage, *READ))
def list_libraries(
    request: Request,
    core: CoreOf,
    limit: Limit = 100,
    cursor: CursorParameter = None,
    name: Annotated[
        str | None, Query(description="Return only the library with this name.")
    ] = None,
) -> Response:
    cursors = Cursors.of(core.store.cursor_key, request)
    page = core.libraries.page(after=cursors.take(cursor), limit=limit + 1, name=name)
    libraries, following = cut(page.value, limit, lambda library: library.id)
    items = [LibraryResponse.model_validate(library) for library in libraries]
    return page_response(items, cursors.give(following), position=page.position)


@router.get(
    "/libraries/{library_id}", responses=responses_of(200, LibraryResponse, *READ) | NOT_MODIFIED
)
def get_library(core: CoreOf, library_id: str, if_none_match: IfNoneMatch = None) -> Response:
    library = core.libraries.get(library_id)
    response = LibraryResponse.model_validate(library.value)
    return read_response(response, position=library.position, if_none_match=if_none_match)


@router.put(
    "/libraries/{library_id}",
    body=LibraryRequest,
    responses=responses_of(200, LibraryResponse, *WRITE) | responses_of(201, LibraryResponse),
)
def put_library(library_id: str, once: IdempotentRequestOf, guard: Guarded) -> Response:
    draft = parse(LibraryRequest, once.body).draft()
    return once.respond(
        lambda before_commit: once.core.libraries.put(
            library_id, draft, guard=guard, before_commit=before_commit
        ),
        lambda written: written_response(LibraryResponse, written),
    )


@router.patch(
    "/libraries/{library_id}",
    body=LibraryRequest,
    example={"description": None, "metadata": {"owner": "me"}},
    responses=responses_of(200, LibraryResponse, *WRITE),
)
def patch_library(library_id: str, once: IdempotentPatch, guard: Guarded) -> Response:
    def edit(library: Library) -> LibraryDraft:
        return merge(LibraryRequest.of(library), once.body).draft()

    return once.respond(
        lambda before_commit: once.core.libraries.update(
            library_id, edit, guard=guard, before_commit=before_commit
        ),
        lambda written: written_response(LibraryResponse, written),
    )


@router.delete(
    "/libraries/{library_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses_of(204, None, *READ, 412, 507),
)
def delete_library(library_id: str, once: IdempotentDelete, guard: Guarded) -> Response:
    return once.respond(
        lambda before_commit: once.core.libraries.delete(
            library_id, guard=guard, before_commit=before_commit
        ),
        lambda deleted: no_content(deleted.position),
    )
