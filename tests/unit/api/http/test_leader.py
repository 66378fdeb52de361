"""A follower passes requests on to the leader, wherever it is, and never in a circle."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from api.http.leader import Leader

ADDRESS = "http://leader.example:8000"
Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


async def stored() -> AsyncIterator[bytes]:
    yield b'{"id":'
    yield b'"c1"}'


class Cluster:
    """The node that answers at any address, and who leads."""

    def __init__(self) -> None:
        self.address: str | None = ADDRESS
        self.received: list[httpx.Request] = []
        self.handle: Handler = lambda _: httpx.Response(201, content=stored())

    async def respond(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.received.append(request)
        response = self.handle(request)
        return response if isinstance(response, httpx.Response) else await response

    @asynccontextmanager
    async def follower(self, *, redirects: bool = False) -> AsyncIterator[httpx.AsyncClient]:
        leader = Leader(
            lambda: self.address,
            follows=lambda: True,
            instance_id=lambda: "f" * 32,
            redirects=redirects,
        )
        transport = httpx.MockTransport(self.respond)
        leader._connections._client = httpx.AsyncClient(transport=transport)
        to_follower = httpx.ASGITransport(app=leader.forward)
        async with httpx.AsyncClient(transport=to_follower, base_url="http://follower") as client:
            yield client
        await leader.close()


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def test_a_request_and_its_response_pass_as_they_are(cluster: Cluster) -> None:
    async with cluster.follower() as client:
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
    async with cluster.follower() as client:
        await client.post("/libraries")
    headers = cluster.received[0].headers
    assert (headers["nalanda-forwarded"], headers["nalanda-instance"]) == ("1", "f" * 32)


async def test_a_request_is_passed_on_once(cluster: Cluster) -> None:
    async with cluster.follower() as client:
        answer = await client.post("/libraries", headers={"Nalanda-Forwarded": "1"})
    assert_unavailable(answer, "does not lead either")
    assert cluster.received == []


async def test_without_a_leader_a_write_is_to_be_sent_again(cluster: Cluster) -> None:
    cluster.address = None
    async with cluster.follower() as client:
        assert_unavailable(await client.post("/libraries"), "No node leads")


@pytest.mark.parametrize("address", ["nonsense", "http://[", "ftp://leader", ""])
async def test_an_address_that_is_none_is_a_leader_that_does_not_answer(address: str) -> None:
    leader = Leader(lambda: address, follows=lambda: True, instance_id=lambda: "")
    to_follower = httpx.ASGITransport(app=leader.forward)
    async with httpx.AsyncClient(transport=to_follower, base_url="http://follower") as client:
        assert_unavailable(await client.post("/libraries"), "does not answer")
    await leader.close()


async def test_a_leader_that_does_not_answer_is_named(cluster: Cluster) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    cluster.handle = refuse
    async with cluster.follower() as client:
        assert_unavailable(await client.post("/libraries"), ADDRESS)


async def test_a_leader_of_another_database_is_refused(cluster: Cluster) -> None:
    cluster.handle = lambda _: httpx.Response(421)
    async with cluster.follower() as client:
        assert_unavailable(await client.post("/libraries"), "has another database")


async def test_a_leader_that_stops_and_is_replaced_is_waited_for_no_longer(
    cluster: Cluster,
) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        cluster.address = "http://next.example"
        await asyncio.Event().wait()
        raise AssertionError

    cluster.handle = never
    async with cluster.follower() as client:
        assert_unavailable(await client.post("/libraries"), "ceased to lead")


async def test_a_follower_that_redirects_names_the_leader(cluster: Cluster) -> None:
    async with cluster.follower(redirects=True) as client:
        answer = await client.post("/libraries/x?a=b")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{ADDRESS}/libraries/x?a=b"
    assert cluster.received == []


def assert_unavailable(answer: httpx.Response, detail: str) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert detail in answer.json()["detail"]
