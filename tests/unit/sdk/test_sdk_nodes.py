"""Several nodes: their turns, failures, redirects, and the leader."""

import httpx
import pytest

from nalanda import (
    AsyncNalanda,
    ConnectionFailed,
    InvalidAddress,
    Nalanda,
    NalandaError,
    UnavailableError,
)
from tests.unit.sdk.script import HANDLE, LIBRARY, Nodes, ok, problem, state

REFUSED = httpx.ConnectError("refused")
PAUSED = httpx.ReadTimeout("silent")
READ = ok(LIBRARY)
WRITTEN = ok(LIBRARY, status=201)
NO_LEADER = problem(503, retry_after="1", detail="No node leads at present.")


def leading(host: str) -> httpx.Response:
    """Return a write's response that a follower got from the leader."""
    return httpx.Response(201, json=LIBRARY, headers={"Nalanda-Leader": f"http://{host}:80/"})


@pytest.mark.parametrize(
    "given",
    [["http://a", "http://b/"], "http://a, http://b,", ("http://b", "http://a", "http://a")],
)
def test_reads_take_turns(given: list[str] | str) -> None:
    nodes = Nodes(a=READ, b=READ)
    with Nalanda(given, transport=nodes) as client:
        for _ in range(4):
            client.libraries.get("x")
    hosts = nodes.hosts
    assert sorted(hosts) == ["a", "a", "b", "b"]
    assert hosts[:2] == hosts[2:]


def test_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = Nodes(a=READ, b=READ)
    monkeypatch.setenv("NALANDA_API_URL", "http://a,http://b:80")
    with Nalanda(transport=nodes) as client:
        for _ in range(2):
            client.libraries.get("x")
    assert nodes.hosts == ["a", "b"]


def test_each_address_that_is_none_is_named() -> None:
    with pytest.raises(InvalidAddress) as raised:
        Nalanda("http://a,nowhere,ftp://b,http://c:x")
    for wrong in ("nowhere", "ftp://b", "http://c:x"):
        assert f"{wrong} is not the address of a server" in str(raised.value)
    assert "http://a " not in str(raised.value)
    with pytest.raises(InvalidAddress, match="names no server"):
        Nalanda(" , ")


@pytest.mark.parametrize("failure", [REFUSED, PAUSED, problem(503), problem(502)], ids=str)
def test_a_read_takes_another_node_at_once(
    failure: httpx.Response | Exception, sleeps: list[float]
) -> None:
    nodes = Nodes(a=failure, b=READ, c=READ)
    with nodes.client() as client:
        client.libraries.get("x")
    assert nodes.hosts == ["a", "b"]
    assert sleeps == []


def test_a_node_that_failed_is_left_out_for_a_time(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=READ)
    with nodes.client() as client:
        for _ in range(3):
            client.libraries.get("x")
        assert nodes.hosts == ["a", "b", "b", "b"]
        nodes.nodes["a"] = READ
        sleeps.append(1.1)
        client.libraries.get("x")
        client.libraries.get("x")
    assert sorted(nodes.hosts) == ["a", "b"]


def test_a_node_that_fails_again_is_left_out_for_longer(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=READ)
    with nodes.client() as client:
        for _ in range(2):
            sleeps.append(1.1)
            client.libraries.get("x")
            client.libraries.get("x")
    assert nodes.hosts.count("a") == 1 + 1
    assert sum(sleeps) > 2


def test_a_paused_node_takes_a_quarter_of_the_time() -> None:
    nodes = Nodes(a=PAUSED, b=PAUSED, c=READ)
    with nodes.client(timeout_s=40) as client:
        client.libraries.get("x")
        times = [request.extensions["timeout"]["read"] for request in nodes.requests]
    assert times == pytest.approx([10, 20, 40], abs=1)


def test_without_any_node_the_time_is_the_bound(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=REFUSED)
    with nodes.client(timeout_s=30) as client, pytest.raises(ConnectionFailed):
        client.libraries.get("x")
    assert 20 < sum(sleeps) < 30
    with nodes.client(max_retries=0) as client, pytest.raises(ConnectionFailed) as raised:
        client.libraries.get("x")
    assert str(raised.value) == (
        "No node has answered. http://a could not be reached: refused. "
        "http://b could not be reached: refused."
    )
    nodes.requests.clear()
    with nodes.client(max_retries=1) as client, pytest.raises(ConnectionFailed):
        client.libraries.get("x")
    assert sorted(nodes.hosts) == ["a", "a", "b", "b"]


def test_a_write_outlasts_an_election(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=NO_LEADER, c=NO_LEADER)

    def elect(_: httpx.Request) -> httpx.Response:
        return WRITTEN if sum(sleeps) > 5 else NO_LEADER

    nodes.nodes |= {"b": elect, "c": elect}
    with nodes.client() as client:
        client.libraries.create("x")
    keys = {request.headers["Idempotency-Key"] for request in nodes.requests}
    assert len(keys) == 1
    assert min(sleeps) >= 1


def test_a_leader_that_is_elected_too_late_is_said(sleeps: list[float]) -> None:
    nodes = Nodes(a=NO_LEADER, b=NO_LEADER)
    with nodes.client(timeout_s=10) as client, pytest.raises(UnavailableError, match="No node"):
        client.libraries.create("x")


def test_writes_go_to_the_leader_that_a_follower_names() -> None:
    nodes = Nodes(a=leading("c"), b=leading("c"), c=WRITTEN)
    with nodes.client() as client:
        for _ in range(3):
            client.libraries.create("x")
    assert nodes.hosts == ["a", "c", "c"]


def test_a_leader_at_an_address_that_was_not_given_is_not_asked() -> None:
    nodes = Nodes(a=leading("inside"), b=leading("inside"))
    with nodes.client() as client:
        for _ in range(4):
            client.libraries.create("x")
    assert nodes.hosts == ["a", "b", "a", "b"]


def test_a_leader_that_fails_is_forgotten(sleeps: list[float]) -> None:
    nodes = Nodes(a=leading("c"), b=leading("b"), c=WRITTEN)
    with nodes.client() as client:
        client.libraries.create("x")
        nodes.nodes |= {"a": leading("b"), "b": WRITTEN, "c": REFUSED}
        for _ in range(3):
            client.libraries.create("x")
    assert nodes.hosts == ["a", "c", "b", "a", "b"]


def test_readiness_is_that_of_any_node(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=problem(503), c=ok({"ready": True, "checks": {}}))
    with nodes.client() as client:
        assert client.ready().ready
        nodes.nodes["c"] = problem(503)
        assert not client.ready().ready
    assert sleeps == []


def test_a_post_without_a_key_is_sent_once(sleeps: list[float]) -> None:
    done = ok({"to": "n", "epoch": 3}, status=202)
    nodes = Nodes(a=REFUSED, b=done)
    with nodes.client() as client:
        client.cluster.hand_over()
    assert nodes.hosts == ["a", "b"]
    for failure in (httpx.ReadError("cut"), PAUSED, problem(503)):
        nodes = Nodes(a=failure, b=done)
        with nodes.client() as client, pytest.raises(NalandaError):
            client.cluster.hand_over()
        assert nodes.hosts == ["a"]


def redirect(request: httpx.Request, leader: str) -> httpx.Response:
    location = leader + request.url.raw_path.decode()
    return httpx.Response(307, headers={"Location": location})


def test_a_redirect_is_followed_and_remembered() -> None:
    nodes = Nodes(a=lambda r: redirect(r, "http://inside:1"), inside=WRITTEN)
    with Nalanda("http://a", transport=nodes, api_key="k") as client:
        client.libraries.create("x")
        client.libraries.create("x")
        assert {request.headers["Authorization"] for request in nodes.requests} == {"Bearer k"}
    assert nodes.hosts == ["a", "inside", "inside"]


@pytest.mark.parametrize(
    "location", ["http://a/elsewhere", "nowhere/libraries", "http:///libraries"]
)
def test_a_redirect_that_is_none_of_a_follower(location: str) -> None:
    nodes = Nodes(a=httpx.Response(307, headers={"Location": location}))
    with nodes.client() as client, pytest.raises(Exception, match="307"):
        client.libraries.create("x")


def test_a_redirect_never_leaves_tls() -> None:
    nodes = Nodes(a=lambda r: redirect(r, "http://b"), b=WRITTEN)
    with Nalanda("https://a", transport=nodes) as client, pytest.raises(Exception, match="307"):
        client.libraries.create("x")
    assert nodes.hosts == ["a"]


def test_redirects_in_a_circle_end(sleeps: list[float]) -> None:
    nodes = Nodes(a=lambda r: redirect(r, "http://b"), b=lambda r: redirect(r, "http://a"))
    with (
        nodes.client(max_retries=2) as client,
        pytest.raises(ConnectionFailed, match="redirects to"),
    ):
        client.libraries.create("x")
    assert len(nodes.hosts) <= 6


def test_a_question_is_followed_on_another_node(sleeps: list[float]) -> None:
    events = b"id: 1\nevent: stage\ndata: {}\n\n"
    last = b"id: 2\nevent: result\ndata: {}\n\n"

    def break_off(request: httpx.Request) -> httpx.Response:
        nodes.nodes["a"] = REFUSED
        return httpx.Response(200, content=events)

    nodes = Nodes(a=break_off, b=httpx.Response(200, content=last))
    with nodes.client() as client:
        assert [event.id for event in client.queries.events("q")] == [1, 2]
        assert nodes.requests[-1].headers["Last-Event-ID"] == "1"
        nodes.nodes["b"] = state("completed")
        nodes.requests.clear()
        assert client.queries.wait("q").status == "completed"
    assert "b" in nodes.hosts


def test_a_stream_follows_a_redirect() -> None:
    last = b"id: 2\nevent: result\ndata: {}\n\n"
    nodes = Nodes(a=lambda r: redirect(r, "http://b"), b=httpx.Response(200, content=last))
    with Nalanda("http://a", transport=nodes) as client:
        assert [event.id for event in client.queries.events("q")] == [2]
    assert nodes.hosts == ["a", "b"]


def test_streams_redirected_in_a_circle_end(sleeps: list[float]) -> None:
    nodes = Nodes(a=lambda r: redirect(r, "http://b"), b=lambda r: redirect(r, "http://a"))
    with nodes.client() as client, pytest.raises(ConnectionFailed, match="in a circle"):
        list(client.queries.events("q"))


async def test_the_asynchronous_client_fails_over_too(sleeps: list[float]) -> None:
    nodes = Nodes(a=REFUSED, b=ok(HANDLE, status=202))
    async with AsyncNalanda("http://a,http://b", transport=nodes) as client:
        await client.queries.start("x", "why?")
    assert nodes.hosts == ["a", "b"]


def test_an_instance_is_named_to_each_node() -> None:
    nodes = Nodes(a=REFUSED, b=READ)
    with nodes.client(instance_id="i") as client:
        client.libraries.get("x")
        assert {request.headers["Nalanda-Instance"] for request in nodes.requests} == {"i"}
