"""A leader and a follower with readers, as processes with a data directory each."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from activities.preprocess import encode_vector
from activities.retrieve import Retrieve
from activities.texts import read
from core.contracts.query import RetrieveInput
from nalanda import AsyncNalanda
from tests.e2e.stack import Stack, node_of
from tests.postgres import PostgresServer
from tests.waiting import until

SEARCH = {"embedding": [1.0, 0.0], "k": 100, "mode": "vector"}


@pytest.fixture(scope="module")
def nodes(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Stack, Stack]]:
    folder = tmp_path_factory.mktemp("nodes")
    with (
        postgres.database() as url,
        a_node(folder, "leader", url) as leader,
        a_node(folder, "follower", url, NALANDA_READERS="2", NALANDA_LEADER_WAIT_S="1") as follower,
    ):
        yield leader, follower


def a_node(folder: Path, role: str, url: str, **settings: str) -> Stack:
    node = node_of(folder / role, url, NALANDA_ROLE=role, NALANDA_LEASE_S="30", **settings)
    node.start("api")
    return node


@pytest.fixture
def follower(nodes: tuple[Stack, Stack]) -> Iterator[httpx.Client]:
    """A client with a new connection for each request, so that readers serve some of them."""
    with client_of(nodes[1]) as client:
        yield client


def client_of(node: Stack) -> httpx.Client:
    headers = {"Connection": "close"}
    return httpx.Client(
        base_url=node.api_url, headers=headers, timeout=30, trust_env=False, verify=False
    )


def fill(client: httpx.Client, library: str) -> None:
    made = client.put(f"/libraries/{library}", json={"name": library, "dimension": 2})
    assert made.status_code == 201, made.text
    made = client.put(f"/libraries/{library}/documents/d", json={"title": "t", "chunks": []})
    assert made.status_code == 201, made.text


def put_chunk(client: httpx.Client, library: str, number: int) -> httpx.Response:
    chunk = {"document_id": "d", "text": f"harbour {number}", "embedding": [1.0, number]}
    return client.put(f"/libraries/{library}/chunks/c{number}", json=chunk)


def test_a_write_through_a_follower_is_read_there_at_its_position(follower: httpx.Client) -> None:
    fill(follower, "written")
    for number in range(40):
        wrote = put_chunk(follower, "written", number)
        assert wrote.status_code == 201, wrote.text
        session = {"Nalanda-Min-Position": wrote.headers["Nalanda-Position"]}
        answer = follower.post("/libraries/written/search", json=SEARCH, headers=session)
        assert len(answer.json()["hits"]) == number + 1
        strong = follower.get(
            "/libraries/written/chunks", headers={"Nalanda-Consistency": "strong"}
        )
        assert len(strong.json()["items"]) == number + 1


async def test_a_question_is_retrieved_on_a_follower_that_lags(
    nodes: tuple[Stack, Stack], follower: httpx.Client
) -> None:
    fill(follower, "asked")
    os.kill(nodes[1].pid("api"), signal.SIGSTOP)
    try:
        with client_of(nodes[0]) as leader:
            wrote = put_chunk(leader, "asked", 1)
    finally:
        os.kill(nodes[1].pid("api"), signal.SIGCONT)
    question = RetrieveInput(
        library_id="asked",
        query="Which harbour?",
        embedding=encode_vector(np.array([[1.0, 1.0]], np.float32)),
        k=3,
        min_position=int(wrote.headers["Nalanda-Position"]),
    )
    async with AsyncNalanda(nodes[1].api_url, consistency="eventual") as client:
        retrieved = await Retrieve(client).retrieve(question)
        pinned = await read(client, "asked", retrieved.hits, retrieved.position)
    assert [hit.chunk_id for hit in retrieved.hits] == ["c1"]
    assert retrieved.position >= question.min_position
    assert [passage.text for passage in pinned.passages] == ["harbour 1"]


def test_a_key_sent_to_a_follower_and_to_the_leader_writes_once(
    nodes: tuple[Stack, Stack], follower: httpx.Client
) -> None:
    fill(follower, "once")
    with client_of(nodes[0]) as leader:
        ids = {
            client.post(
                "/libraries/once/documents", json={"title": "t"}, headers={"Idempotency-Key": "k"}
            ).json()["id"]
            for client in (follower, leader, follower)
        }
    assert len(ids) == 1


def test_both_nodes_show_both(nodes: tuple[Stack, Stack], follower: httpx.Client) -> None:
    with client_of(nodes[0]) as leader:
        until(lambda: len(leader.get("/cluster").json()["nodes"]) == 2)
        shown = leader.get("/cluster").json()
    assert sorted(node["role"] for node in shown["nodes"]) == ["follower", "leader"]
    assert shown["leader"]["address"] == nodes[0].api_url
    assert follower.get("/readyz").json()["checks"]["storage"] == "ok"


def test_a_request_is_not_passed_on_for_ever(follower: httpx.Client) -> None:
    answer = follower.post("/libraries", json={"name": "n"}, headers={"Nalanda-Forwarded": "3"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_reads_go_on_while_no_leader_answers(
    nodes: tuple[Stack, Stack], follower: httpx.Client
) -> None:
    fill(follower, "kept")
    wrote = put_chunk(follower, "kept", 1)
    nodes[0].kill("api")
    answer = put_chunk(follower, "kept", 2)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    session = {"Nalanda-Min-Position": wrote.headers["Nalanda-Position"]}
    hits = follower.post("/libraries/kept/search", json=SEARCH, headers=session).json()["hits"]
    assert [hit["chunk_id"] for hit in hits] == ["c1"]
    nodes[0].start("api")
    until(lambda: put_chunk(follower, "kept", 2).status_code == 201)


def test_a_new_follower_starts_from_the_object_store(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    bucket = tmp_path / "bucket"
    setting = {"NALANDA_CHECKPOINT_STORE": bucket.as_uri()}
    with postgres.database() as url, a_node(tmp_path, "leader", url, **setting) as leader:
        with client_of(leader) as client:
            fill(client, "published")
            put_chunk(client, "published", 1)
            assert client.post("/checkpoint").is_success
        until(lambda: list(bucket.rglob("*.checkpoint")) != [], timeout_s=120)
        [published] = bucket.rglob("*.checkpoint")
        with (
            a_node(tmp_path, "follower", url, **setting) as follower,
            client_of(follower) as client,
        ):
            assert client.get("/libraries/published/chunks/c1").is_success
            assert (tmp_path / "follower" / "data" / "checkpoints" / published.name).is_file()
