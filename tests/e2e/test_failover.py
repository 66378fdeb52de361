"""Three nodes of one database as processes, whose leader is killed, paused and stopped."""

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from nalanda import Nalanda
from tests.e2e.session import Session
from tests.e2e.stack import Stack, node_of
from tests.postgres import PostgresServer
from tests.waiting import until

FAILOVER_S = 120.0
"""Far more than the lease, for a loaded machine."""

Nodes = Mapping[str, Stack]


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    """Yield three nodes by their URLs; the first one leads."""
    with postgres.database() as url, ExitStack() as stack:
        nodes = [
            stack.enter_context(node_of(tmp_path / str(number), url, NALANDA_LEASE_S="2"))
            for number in range(3)
        ]
        for node in nodes:
            node.start("api")
        yield {node.api_url: node for node in nodes}


def call(url: str, method: str, path: str, **options: Any) -> httpx.Response | None:
    """Return the response of a node, or `None` if it does not answer."""
    try:
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
            return client.request(method, path, **options)
    except httpx.TransportError:
        return None


def put(url: str, name: str) -> bool:
    answer = call(url, "PUT", f"/libraries/{name}", json={"name": name})
    return answer is not None and answer.status_code in {200, 201}


def leader_of(url: str) -> str:
    """Return the URL of the leader that a node knows."""
    answer = call(url, "GET", "/cluster")
    assert answer is not None
    return str(answer.json()["leader"]["address"])


def test_another_node_leads_after_a_kill(nodes: Nodes) -> None:
    first, second, third = nodes
    assert leader_of(third) == first
    assert put(second, "before")
    nodes[first].kill("api")
    until(lambda: put(second, "after"), FAILOVER_S)
    assert leader_of(second) != first
    assert_same(second, third, {"before", "after"})

    nodes[first].start("api")
    until(lambda: put(first, "returned"), FAILOVER_S)
    assert_same(first, second, {"before", "after", "returned"})


def test_a_leader_that_was_paused_writes_nothing_as_leader(nodes: Nodes) -> None:
    first, second, third = nodes
    assert put(second, "before")
    os.kill(nodes[first].pid("api"), signal.SIGSTOP)
    try:
        until(lambda: put(second, "meanwhile"), FAILOVER_S)
    finally:
        os.kill(nodes[first].pid("api"), signal.SIGCONT)
    strong = {"Nalanda-Consistency": "strong"}
    answer = call(first, "GET", "/libraries/meanwhile", headers=strong)
    assert answer is None or answer.status_code in {200, 503}
    until(lambda: put(first, "woken"), FAILOVER_S)
    assert leader_of(first) != first
    assert_same(first, third, {"before", "meanwhile", "woken"})


def test_a_leader_that_stops_leaves_no_lease_to_wait_for(nodes: Nodes) -> None:
    first, second, third = nodes
    nodes[first].stop("api")
    until(lambda: put(second, "after"), FAILOVER_S)
    assert_same(second, third, {"after"})


def test_a_session_of_the_sdk_outlasts_its_leaders(nodes: Nodes) -> None:
    first, second, third = nodes
    with Nalanda(list(nodes), timeout_s=60) as client:
        session = Session(client)
        with session.run():
            session.wait_for_rounds(FAILOVER_S)
            nodes[first].kill("api")
            session.wait_for_rounds(FAILOVER_S)
            paused = leader_of(third)
            other = second if paused == third else third
            os.kill(nodes[paused].pid("api"), signal.SIGSTOP)
            try:
                until(lambda: leader_of(other) != paused, FAILOVER_S)
                session.wait_for_rounds(FAILOVER_S)
            finally:
                os.kill(nodes[paused].pid("api"), signal.SIGCONT)
            session.wait_for_rounds(FAILOVER_S)
    assert_same(second, third, {"s"})


def assert_same(one: str, other: str, names: set[str]) -> None:
    """Check that two nodes have the same libraries, and the same digest at one position."""

    def agree() -> bool:
        states = [call(url, "GET", "/cluster") for url in (one, other)]
        marks = [(state.json()["position"], state.json()["digest"]) for state in states if state]
        return len(set(marks)) == 1 and len(marks) == 2 and marks[0][1] is not None

    until(agree, FAILOVER_S)
    for url in (one, other):
        listed = call(url, "GET", "/libraries", headers={"Nalanda-Consistency": "strong"})
        assert listed is not None
        assert {item["name"] for item in listed.json()["items"]} == names
