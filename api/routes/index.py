"""Routes of `/libraries/{library_id}/index`."""

from dataclasses import replace

from fastapi import Response, status

from api.http.bodies.json import JsonBody, parse
from api.http.conditional import Guarded
from api.http.dependencies import CoreOf
from api.http.openapi import READ, WRITE, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.index import IndexRequest, IndexResponse
from api.wire.libraries import LibraryRequest
from core.domain.library import Library, LibraryDraft

router = Routes("index", "/libraries/{library_id}/index")


@router.get("", responses=responses_of(200, IndexResponse, *READ))
def get_index(core: CoreOf, library_id: str) -> Response:
    index = core.search.index(library_id)
    response = IndexResponse.model_validate(index.value)
    return json_response(response.model_dump(), position=index.position)


@router.put(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    body=IndexRequest,
    responses=responses_of(202, IndexResponse, *WRITE),
)
def put_index(core: CoreOf, library_id: str, body: JsonBody, guard: Guarded) -> Response:
    """Configure the index and build it in the background.

    Searches use the current index meanwhile.
    """
    index = parse(IndexRequest, body).spec()

    def edit(library: Library) -> LibraryDraft:
        return replace(LibraryRequest.of(library).draft(), index=index)

    written = core.libraries.update(library_id, edit, guard=guard)
    current = core.search.index(written.value.id)
    response = IndexResponse.model_validate(current.value)
    return json_response(
        response.model_dump(),
        status.HTTP_202_ACCEPTED,
        position=max(written.position, current.position),
    )
