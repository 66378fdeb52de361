"""The fast path answers ordinary searches as the route does, and leaves all others to it."""

import asyncio
from unittest import mock

import httpx

from core.indexing.maintenance.kernel_warmup import Warmup
from core.settings import Settings
from tests.differential.comparing import compare, fill
from tests.differential.requests import generate
from tests.integration.api.calls import assert_problem, open_client
from tests.integration.api.sockets import all_of, post, serve_app, status_of

PATH = "/libraries/planar/search"
ROUTE = "/libraries/{library_id}/search"
REQUESTS = 300


async def test_responses_are_those_of_the_route(settings: Settings) -> None:
    async with open_client(settings) as client:
        await fill(client)
        for seed, kernels in ((1, "compiling"), (2, "ok")):
            with mock.patch.object(Warmup, "state", kernels):
                comparison = await compare(client, generate(REQUESTS, seed))
            assert comparison.differences == []
            assert comparison.fast > REQUESTS // 3
            assert {200, 400, 415, 422} <= comparison.statuses.keys()


async def test_searches_count_under_their_route(api: httpx.AsyncClient, document: str) -> None:
    for embedding in ([1, 0], [1]):
        await api.post(PATH, json={"embedding": embedding})
    metrics = (await api.get("/metrics")).text
    for status in (200, 422):
        labels = f'method="POST",route="{ROUTE}",status="{status}"'
        assert f"nalanda_http_requests_total{{{labels}}} 1.0" in metrics


async def test_a_position_to_come_is_waited_for(api: httpx.AsyncClient, document: str) -> None:
    headers = {"Nalanda-Min-Position": "3"}
    body = {"embedding": [1, 0], "k": 1}
    waiting = asyncio.create_task(api.post(PATH, json=body, headers=headers))
    await asyncio.sleep(0)
    added = await api.post(
        f"{document}/chunks", json={"chunks": [{"text": "n", "embedding": [2, 1]}]}
    )
    assert added.status_code == 201
    answer = await waiting
    if answer.status_code == 503:  # the wait is short
        assert_problem(answer, 503)
    else:
        assert answer.json()["position"] == 3


async def test_a_large_text_is_not_serialised_on_the_event_loop(
    api: httpx.AsyncClient, library: str
) -> None:
    chunk = {"id": "long", "text": "x" * 300_000, "embedding": [1, 0]}
    path = f"/libraries/{library}/documents/d"
    assert (await api.put(path, json={"chunks": [chunk]})).status_code == 201
    [hit] = (await api.post(PATH, json={"embedding": [1, 0]})).json()["hits"]
    assert len(hit["text"]) == 300_000


def test_a_body_in_pieces_is_read_once(settings: Settings) -> None:
    with serve_app(settings) as served, served.client() as client:
        client.put("/libraries/l", json={"name": "planar", "dimension": 2}).raise_for_status()
        for body, status in ((b'{"embedding": [1, 0]}', 200), (b'{"embedding": [1, 0, 0]}', 422)):
            whole = post(body, path=PATH).replace(
                b"Content-Length", b"Connection: close\r\nContent-Length"
            )
            with served.connect() as connection:
                connection.sendall(whole[:-5])
                connection.sendall(whole[-5:])
                assert status_of(all_of(connection)) == status
