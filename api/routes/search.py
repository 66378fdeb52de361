"""Routes of `/libraries/{library_id}/search`."""

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.http.dependencies import Consistency, CoreOf, MinPosition, wait_for_position
from api.http.json import JsonBody, json_body, parse
from api.http.large_responses import Budget
from api.http.openapi import BODY, responses_of
from api.http.responses import json_response
from api.http.routing import Routes
from api.wire.search import (
    SearchBatchRequest,
    SearchBatchResponse,
    SearchRequest,
    SearchResponse,
    search_response,
)
from core.bootstrap import Core
from core.services.search.request import Includable
from core.services.search.service import SearchAnswer

IN_PLACE_US = 500
"""Maximum time of work on the event loop, in microseconds: a switch to a thread and back takes up
to as long, and several times as long under load."""
IN_PLACE_BYTES = 256 * 1024
IN_PLACE_HITS = 50

router = Routes("search", "/libraries/{library_id}/search", waits=False)


@router.post(
    "",
    body=SearchRequest,
    writes=False,
    responses=responses_of(200, SearchResponse, *BODY),
)
async def search(
    request: Request,
    library_id: str,
    min_position: MinPosition = None,
    consistency: Consistency = None,
) -> Response:
    # No FastAPI dependencies: they would cost as much as the search of a small library.
    core: Core = request.app.state.core
    body = await json_body(request)
    await wait_for_position(request, min_position, consistency)
    if len(body) > IN_PLACE_BYTES:
        return await run_in_threadpool(_search, core, library_id, body)
    wanted = parse(SearchRequest, body)
    asked = wanted.request(library_id)
    if core.search.estimate_us(asked) <= IN_PLACE_US:
        answer = core.search.search(asked)
    else:
        answer = await run_in_threadpool(core.search.search, asked)
    if _is_large(answer):
        return await run_in_threadpool(_large, answer, wanted.include)
    return json_response(search_response(answer, wanted.include), position=answer.position)


def _search(core: Core, library_id: str, body: bytes) -> Response:
    wanted = parse(SearchRequest, body)
    answer = core.search.search(wanted.request(library_id))
    return _large(answer, wanted.include)


def _is_large(answer: SearchAnswer) -> bool:
    """Return whether serialising the response would block the event loop for too long."""
    hits = answer.hits
    return len(hits) > IN_PLACE_HITS or sum(len(hit.chunk.text) for hit in hits) > IN_PLACE_BYTES


def _large(answer: SearchAnswer, include: list[Includable]) -> Response:
    """Serialise a large response.

    Raises:
        Invalid: at `/k`, the response exceeds its limit.
    """
    body = Budget("/k").dump(search_response(answer, include), "hits")
    return json_response(body, position=answer.position)


@router.post(
    "/batch",
    dependencies=[Depends(wait_for_position)],
    body=SearchBatchRequest,
    writes=False,
    responses=responses_of(200, SearchBatchResponse, *BODY),
)
def search_batch(core: CoreOf, library_id: str, body: JsonBody) -> Response:
    searches = parse(SearchBatchRequest, body).searches
    answered = core.search.search_many([wanted.request(library_id) for wanted in searches])
    budget = Budget("/searches")
    results = [
        budget.dump(search_response(answer, wanted.include), "hits")
        for answer, wanted in zip(answered, searches, strict=True)
    ]
    body = b'{"results":[' + b",".join(results) + b"]}"
    return json_response(body, position=answered[0].position)
