"""Routes of `/libraries/{library_id}/index`."""

from dataclasses import replace

from fastapi import Response, status

from api.answers import json_answer
from api.conditional import Guarded
from api.dependencies import CoreOf
from api.json import JsonBody, parse
from api.openapi import READ, WRITE, answers, body_of
from api.routing import routes_of
from api.wire.index import IndexAnswer, IndexBody
from api.wire.libraries import LibraryBody
from core.domain.library import Library, LibraryDraft

router = routes_of("index", "/libraries/{library_id}/index")


@router.get("", responses=answers(200, IndexAnswer, *READ))
def get_index(core: CoreOf, library_id: str) -> Response:
    found = core.search.index(library_id)
    answer = IndexAnswer.model_validate(found.value)
    return json_answer(answer.model_dump(), position=found.position)


@router.put(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    openapi_extra=body_of(IndexBody),
    responses=answers(202, IndexAnswer, *WRITE),
)
def put_index(core: CoreOf, library_id: str, body: JsonBody, guard: Guarded) -> Response:
    """Configure the index and build it in the background.

    Searches use the current index meanwhile.
    """
    index = parse(IndexBody, body).spec()

    def edit(library: Library) -> LibraryDraft:
        return replace(LibraryBody.of(library).draft(), index=index)

    written = core.libraries.update(library_id, edit, guard=guard)
    found = core.search.index(written.value.id)
    answer = IndexAnswer.model_validate(found.value)
    return json_answer(
        answer.model_dump(),
        status.HTTP_202_ACCEPTED,
        position=max(written.position, found.position),
    )
