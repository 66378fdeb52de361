"""Routes of `/libraries/{library_id}/search`."""

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.http.bodies.binary import DESCRIPTION, OCTETS, to_json
from api.http.bodies.json import JsonBody, json_or_other_body, parse
from api.http.bodies.large_responses import Budget
from api.http.dependencies import Consistency, CoreOf, MinPosition, wait_for_position
from api.http.openapi import BODY, responses_of
from api.http.responses import json_response
from api.http.routing import Route, Routes
from api.searches.limits import MAX_EVENT_LOOP_BYTES, MAX_EVENT_LOOP_HITS, MAX_EVENT_LOOP_US
from api.wire.search import (
    SearchBatchRequest,
    SearchBatchResponse,
    SearchRequest,
    SearchResponse,
    search_response,
)
from core.bootstrap import Core
from core.services.search.request import Includable
from core.services.search.service import SearchResult

router = Routes("search", "/libraries/{library_id}/search", waits=False)


@router.post(
    "",
    body=SearchRequest,
    binary=DESCRIPTION,
    writes=False,
    responses=responses_of(200, SearchResponse, *BODY),
)
async def search(
    request: Request,
    library_id: str,
    min_position: MinPosition = None,
    consistency: Consistency = None,
) -> Response:
    # FastAPI's dependencies would take as long as the search of a small library.
    core: Core = request.app.state.core
    body = await json_or_other_body(request, OCTETS)
    if body is None:
        body = to_json(await request.body())
    await wait_for_position(request, min_position, consistency)
    if len(body) > MAX_EVENT_LOOP_BYTES:
        return await run_in_threadpool(_search_in_thread, core, library_id, body)
    parsed = parse(SearchRequest, body)
    search_request = parsed.request(library_id)
    if core.search.estimate_us(search_request) <= MAX_EVENT_LOOP_US:
        result = core.search.search(search_request)
    else:
        result = await run_in_threadpool(core.search.search, search_request)
    if _is_large(result):
        return await run_in_threadpool(_large_response, result, parsed.include)
    return json_response(search_response(result, parsed.include), position=result.position)


[ROUTE] = [route for route in router.routes if isinstance(route, Route)]
"""The route of `search`, under which the searches of the fast path count too."""


def _search_in_thread(core: Core, library_id: str, body: bytes) -> Response:
    parsed = parse(SearchRequest, body)
    result = core.search.search(parsed.request(library_id))
    return _large_response(result, parsed.include)


def _is_large(result: SearchResult) -> bool:
    """Return whether serialising the response would block the event loop for too long."""
    hits = result.hits
    return (
        len(hits) > MAX_EVENT_LOOP_HITS
        or sum(len(hit.chunk.text) for hit in hits) > MAX_EVENT_LOOP_BYTES
    )


def _large_response(result: SearchResult, include: list[Includable]) -> Response:
    """Serialise a large response.

    Raises:
        Invalid: at `/k`, the response exceeds its limit.
    """
    body = Budget("/k").dump(search_response(result, include), "hits")
    return json_response(body, position=result.position)


@router.post(
    "/batch",
    dependencies=[Depends(wait_for_position)],
    body=SearchBatchRequest,
    writes=False,
    responses=responses_of(200, SearchBatchResponse, *BODY),
)
def search_batch(core: CoreOf, library_id: str, body: JsonBody) -> Response:
    searches = parse(SearchBatchRequest, body).searches
    results = core.search.search_many([search.request(library_id) for search in searches])
    budget = Budget("/searches")
    items = [
        budget.dump(search_response(result, search.include), "hits")
        for result, search in zip(results, searches, strict=True)
    ]
    body = b'{"results":[' + b",".join(items) + b"]}"
    return json_response(body, position=results[0].position)
