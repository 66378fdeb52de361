"""Routes of `/libraries/{library_id}/index`, and of the map of its vectors."""

from dataclasses import replace

from fastapi import Response, status

from api.http.bodies.json import JsonBody, parse
from api.http.conditional import Guarded
from api.http.dependencies import CoreOf
from api.http.openapi import BODY, READ, WRITE, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.index import IndexRequest, IndexResponse, MapRequest, MapResponse, map_response
from api.wire.libraries import LibraryRequest
from core.domain.library import Library, LibraryDraft

_MAP_RETRY_S = 1

router = Routes("index", "/libraries/{library_id}")


@router.get("/index", responses=responses_of(200, IndexResponse, *READ))
def get_index(core: CoreOf, library_id: str) -> Response:
    index = core.search.index(library_id)
    response = IndexResponse.model_validate(index.value)
    return json_response(response.model_dump(), position=index.position)


@router.put(
    "/index",
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


@router.post(
    "/map",
    body=MapRequest,
    writes=False,
    responses=responses_of(200, MapResponse, *BODY) | responses_of(202, MapResponse),
)
def map_library(core: CoreOf, library_id: str, body: JsonBody) -> Response:
    """Return the library's vectors in two dimensions, with a report of their health.

    The map is drawn in the background: 202 with the last one, if any, while a new one is drawn.
    """
    wanted = parse(MapRequest, body)
    looked = core.maps.look(library_id, color_by=wanted.color_by, text=wanted.text)
    response = map_response(looked.value, wanted.include).model_dump()
    if looked.value.is_current:
        return json_response(response, position=looked.position)
    headers = {"Retry-After": str(_MAP_RETRY_S)}
    code = status.HTTP_202_ACCEPTED
    return json_response(response, code, position=looked.position, headers=headers)
