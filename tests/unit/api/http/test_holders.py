"""A read of a library that this node does not hold gets to a node that does."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request

from api.http.errors import install as install_errors
from api.http.leader import Leader, install
from core.domain.errors import NotHeld

A, B = "http://a:8000", "http://b:8000"
PATH = "/libraries/papers/search?x=1"


async def found() -> AsyncIterator[bytes]:
    yield b'{"hits":'
    yield b"[]}"


def answer_of(status: int) -> httpx.Response:
    return httpx.Response(status, content=found())


class Cluster(httpx.AsyncBaseTransport):
    """The nodes that hold the library `papers`, and what answers at their addresses."""

    leads = True
    leader_url = None

    def __init__(self) -> None:
        self.holders: list[str] = [A, B]
        self.looks, self.comes_at_look = 0, -1
        self.dead: set[str] = set()
        self.received: list[httpx.Request] = []
        self.handle: Callable[[httpx.Request], httpx.Response] = lambda _: answer_of(200)

    def is_alive(self, url: str) -> bool:
        return url not in self.dead

    def holders_of(self, library_id: str) -> Sequence[str]:
        assert library_id == "papers-id"
        self.looks += 1
        return [B] if self.looks == self.comes_at_look else self.holders

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.received.append(request)
        return self.handle(request)

    @asynccontextmanager
    async def node(
        self, *, redirects: bool = False, wait_s: float = 0
    ) -> AsyncIterator[httpx.AsyncClient]:
        leader = Leader(self, instance_id=lambda: "f" * 32, wait_s=wait_s, redirects=redirects)
        leader._connections._client = httpx.AsyncClient(transport=self)
        app = FastAPI()
        install_errors(app)
        install(app)
        app.state.writer = leader

        @app.post("/libraries/papers/search")
        async def search(request: Request) -> None:
            await request.body()
            raise NotHeld("papers-id")

        @app.get("/libraries/papers/index")
        def index() -> None:
            raise NotHeld("papers-id")

        to_node = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=to_node, base_url="http://c") as client:
            yield client
        await leader.close()

    def hosts(self) -> list[str]:
        return [request.url.host for request in self.received]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_a_read_and_its_response_pass_as_they_are(cluster: Cluster) -> None:
    async with cluster.node() as client:
        answer = await client.post(
            PATH, json={"k": 3}, headers={"Nalanda-Min-Position": "7", "X-Own": "1"}
        )
        read = await client.get("/libraries/papers/index")
    assert (answer.status_code, answer.json()) == (200, {"hits": []})
    assert read.status_code == 200
    request = cluster.received[0]
    assert str(request.url) == f"{A}{PATH}"
    assert (request.method, request.content) == ("POST", b'{"k":3}')
    assert (request.headers["nalanda-min-position"], request.headers["x-own"]) == ("7", "1")
    assert request.headers["nalanda-forwarded"] == "1"
    assert request.headers["nalanda-instance"] == "f" * 32


@pytest.mark.parametrize("status", [503, 421])
async def test_the_next_node_is_asked_where_one_refuses(cluster: Cluster, status: int) -> None:
    cluster.handle = lambda request: answer_of(status if request.url.host == "a" else 200)
    async with cluster.node() as client:
        assert (await client.post(PATH, json={})).status_code == 200
    assert cluster.hosts() == ["a", "b"]
    assert [request.content for request in cluster.received] == [b"{}", b"{}"]


async def test_the_next_node_is_asked_where_one_does_not_answer(cluster: Cluster) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "a":
            raise httpx.ReadError("reset", request=request)
        return answer_of(200)

    cluster.handle = handle
    async with cluster.node() as client:
        assert (await client.post(PATH, json={})).status_code == 200
    assert cluster.hosts() == ["a", "b"]


async def test_a_dead_node_is_not_waited_for(cluster: Cluster) -> None:
    cluster.dead = {A}
    async with cluster.node() as client:
        assert (await client.post(PATH, json={})).status_code == 200
    assert cluster.hosts()[-1] == "b"


async def test_another_answer_is_the_answer(cluster: Cluster) -> None:
    cluster.handle = lambda _: answer_of(404)
    async with cluster.node() as client:
        assert (await client.post(PATH, json={})).status_code == 404
    assert cluster.hosts() == ["a"]


@pytest.mark.parametrize("holders", [[], [A, B]])
async def test_without_an_answer_the_read_is_to_be_sent_again(
    cluster: Cluster, holders: list[str]
) -> None:
    cluster.holders = holders
    cluster.handle = lambda _: answer_of(503)
    async with cluster.node(wait_s=0.1) as client:
        answer = await client.post(PATH, json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "no node that does answers in time" in answer.json()["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_holder_that_comes_is_found(cluster: Cluster) -> None:
    cluster.holders = []
    cluster.comes_at_look = 3
    async with cluster.node(wait_s=60) as client:
        assert (await client.post(PATH, json={})).status_code == 200


@pytest.mark.parametrize("hops", ["3", "nonsense"])
async def test_a_read_is_not_passed_on_for_ever(cluster: Cluster, hops: str) -> None:
    async with cluster.node(wait_s=60) as client:
        answer = await client.post(PATH, json={}, headers={"Nalanda-Forwarded": hops})
        await client.post(PATH, json={}, headers={"Nalanda-Forwarded": "2"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "does not hold the library either" in answer.json()["detail"]
    [request] = cluster.received
    assert request.headers.get_list("nalanda-forwarded") == ["3"]


async def test_a_client_can_be_redirected(cluster: Cluster) -> None:
    async with cluster.node(redirects=True) as client:
        answer = await client.post(PATH, json={})
    assert (answer.status_code, answer.headers["location"]) == (307, f"{A}{PATH}")
    assert cluster.received == []


async def test_a_server_without_other_nodes_says_so() -> None:
    app = FastAPI()
    install_errors(app)
    install(app)
    app.state.writer = None

    @app.get("/")
    def read() -> None:
        raise NotHeld("papers-id")

    to_node = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=to_node, base_url="http://c") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "does not hold the library 'papers-id'" in answer.json()["detail"]
