"""A request gets to the node that leads, wherever it is, and never in a circle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.http.leader import Leader, install
from core.domain.errors import NotLeading

ADDRESS = "http://leader.example:8000"
Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


async def stored() -> AsyncIterator[bytes]:
    yield b'{"id":'
    yield b'"c1"}'


class Cluster(httpx.AsyncBaseTransport):
    """An `Election`, and the node that answers at any address."""

    def __init__(self) -> None:
        self.leads = False
        self.leader_url: str | None = ADDRESS
        self.alive: set[str] = set()
        self.ended: set[str] = set()
        self.next_url = ADDRESS
        self.forwarded = 0
        self.received: list[httpx.Request] = []
        self.handle: Handler = lambda _: httpx.Response(201, content=stored())

    def is_alive(self, url: str) -> bool:
        return url in self.alive

    def holders_of(self, library_id: str) -> Sequence[str]:
        raise AssertionError(library_id)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(tuple(self.ended)):
            self.leader_url = self.next_url
            raise httpx.ConnectError("refused", request=request)
        await request.aread()
        self.received.append(request)
        response = self.handle(request)
        return response if isinstance(response, httpx.Response) else await response

    @asynccontextmanager
    async def node(
        self, *, redirects: bool = False, wait_s: float = 0, here: ASGIApp | None = None
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Yield a client of a node, which responds to requests by `here` while it leads."""
        leader = Leader(self, instance_id=lambda: "f" * 32, wait_s=wait_s, redirects=redirects)
        leader._connections._client = httpx.AsyncClient(transport=self)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await leader.respond(here or PlainTextResponse("here"), scope, receive, send)

        to_node = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=to_node, base_url="http://follower") as client:
            yield client
        self.forwarded = leader.forwarded
        await leader.close()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_a_request_and_its_response_pass_as_they_are(cluster: Cluster) -> None:
    async with cluster.node() as client:
        answer = await client.put(
            "/libraries/a%2Fb?x=1", json={"name": "n"}, headers={"X-Own": "7"}
        )
    [request] = cluster.received
    assert str(request.url) == f"{ADDRESS}/libraries/a%2Fb?x=1"
    assert (request.method, request.content) == ("PUT", b'{"name":"n"}')
    assert (request.headers["x-own"], request.headers["host"]) == ("7", "follower")
    assert (answer.status_code, answer.json()) == (201, {"id": "c1"})
    assert answer.headers["nalanda-leader"] == ADDRESS


async def test_a_request_names_the_database_and_that_it_was_passed_on(cluster: Cluster) -> None:
    async with cluster.node() as client:
        await client.post("/libraries")
    assert cluster.forwarded == 1
    headers = cluster.received[0].headers
    assert (headers["nalanda-forwarded"], headers["nalanda-instance"]) == ("1", "f" * 32)


@pytest.mark.parametrize("hops", ["3", "nonsense"])
async def test_a_request_is_not_passed_on_for_ever(hops: str, cluster: Cluster) -> None:
    async with cluster.node(wait_s=60) as client:
        await client.post("/libraries", headers={"Nalanda-Forwarded": "1"})
        answer = await client.post("/libraries", headers={"Nalanda-Forwarded": hops})
    assert_unavailable(answer, "does not lead either")
    [request] = cluster.received
    assert request.headers.get_list("nalanda-forwarded") == ["2"]


async def test_without_a_leader_a_write_is_to_be_sent_again(cluster: Cluster) -> None:
    cluster.leader_url = None
    async with cluster.node() as client:
        assert_unavailable(await client.post("/libraries"), "No node leads")


@pytest.mark.parametrize("address", ["nonsense", "http://[", "ftp://leader", ""])
async def test_an_address_that_is_none_is_a_leader_out_of_reach(
    address: str, cluster: Cluster
) -> None:
    leader = Leader(cluster, instance_id=lambda: "", wait_s=0)
    cluster.leader_url = address

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await leader.respond(PlainTextResponse("here"), scope, receive, send)

    to_node = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=to_node, base_url="http://follower") as client:
        assert_unavailable(await client.post("/libraries"), "can't be reached")
    await leader.close()


async def test_a_leader_that_can_t_be_reached_is_named(cluster: Cluster) -> None:
    cluster.ended.add(ADDRESS)
    async with cluster.node() as client:
        assert_unavailable(await client.post("/libraries"), ADDRESS)


async def test_a_request_waits_for_the_next_leader(cluster: Cluster) -> None:
    cluster.ended.add(ADDRESS)
    cluster.next_url = "http://next.example"
    async with cluster.node(wait_s=60) as client:
        answer = await client.put("/libraries/n", json={"name": "n"})
    assert answer.status_code == 201
    [request] = cluster.received
    assert (request.url.host, request.content) == ("next.example", b'{"name":"n"}')


async def test_a_request_is_sent_once_to_a_leader_that_ends_amid_it(cluster: Cluster) -> None:
    def end(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("disconnected", request=request)

    cluster.handle = end
    async with cluster.node(wait_s=60) as client:
        assert_unavailable(await client.post("/libraries"), "may have done")
    assert len(cluster.received) == 1


async def test_the_node_that_leads_responds_itself(cluster: Cluster) -> None:
    cluster.leads = True
    async with cluster.node() as client:
        assert (await client.post("/libraries")).text == "here"
    assert cluster.received == []


async def test_a_write_that_comes_too_late_goes_to_the_next_leader(cluster: Cluster) -> None:
    app = FastAPI()
    install(app)
    seen: list[bytes] = []

    @app.put("/libraries/n")
    async def put(request: Request) -> None:
        seen.append(await request.body())
        cluster.leads = False
        raise NotLeading("Another node leads.")

    cluster.leads = True
    async with cluster.node(here=app, wait_s=60) as client:
        answer = await client.put("/libraries/n", json={"name": "n"})
    assert (answer.status_code, answer.json()) == (201, {"id": "c1"})
    assert seen == [request.content for request in cluster.received] == [b'{"name":"n"}']


async def test_a_stream_that_comes_too_late_is_to_be_sent_again(cluster: Cluster) -> None:
    app = FastAPI()
    install(app)

    @app.put("/libraries/n")
    async def put(request: Request) -> None:
        async for _ in request.stream():
            pass
        raise NotLeading("Another node leads.")

    cluster.leads = True
    async with cluster.node(here=app) as client:
        assert_unavailable(await client.put("/libraries/n", json={}), "Another node leads")
    assert cluster.received == []


async def test_a_leader_of_another_database_is_refused(cluster: Cluster) -> None:
    cluster.handle = lambda _: httpx.Response(421)
    async with cluster.node() as client:
        assert_unavailable(await client.post("/libraries"), "has another database")


async def test_a_leader_that_stops_and_is_replaced_is_waited_for_no_longer(
    cluster: Cluster,
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        cluster.leader_url = "http://next.example"
        await asyncio.Event().wait()
        raise AssertionError

    cluster.handle = never
    async with cluster.node() as client:
        assert_unavailable(await client.post("/libraries"), "ceased to lead")


async def test_a_leader_that_hands_over_may_still_answer(cluster: Cluster) -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        cluster.leader_url = "http://next.example"
        await asyncio.sleep(0)
        return httpx.Response(201, content=stored())

    cluster.alive.add(ADDRESS)
    cluster.handle = slow
    async with cluster.node() as client:
        assert (await client.post("/libraries")).status_code == 201


async def test_a_follower_that_redirects_names_the_leader(cluster: Cluster) -> None:
    async with cluster.node(redirects=True) as client:
        answer = await client.post("/libraries/x?a=b")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{ADDRESS}/libraries/x?a=b"
    assert cluster.received == []


def assert_unavailable(answer: httpx.Response, detail: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert detail in answer.json()["detail"]
