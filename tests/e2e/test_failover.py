"""Three nodes of one database as processes, whose leader is killed, paused and stopped."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nalanda import Nalanda
from tests.e2e.nodes import ELECTED_S, Nodes, assert_same, call, leader_of, state_of, three_nodes
from tests.e2e.session import Session
from tests.postgres import PostgresServer
from tests.waiting import until


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    with three_nodes(postgres, tmp_path, lease_s=2) as nodes:
        yield nodes


def put(url: str, name: str) -> bool:
    answer = call(url, "PUT", f"/libraries/{name}", json={"name": name})
    return answer is not None and answer.status_code in {200, 201}


def test_another_node_leads_after_a_kill(nodes: Nodes) -> None:
    first, second, third = nodes
    assert leader_of(third) == first
    assert put(second, "before")
    nodes[first].kill("api")
    until(lambda: put(second, "after"), ELECTED_S)
    assert leader_of(second) != first
    assert_same(second, third, {"before", "after"})

    nodes[first].start("api")
    until(lambda: put(first, "returned"), ELECTED_S)
    assert_same(first, second, {"before", "after", "returned"})


def test_a_leader_that_was_paused_writes_nothing_as_leader(nodes: Nodes) -> None:
    first, second, third = nodes
    assert put(second, "before")
    epoch = state_of(first)["epoch"]
    os.kill(nodes[first].pid("api"), signal.SIGSTOP)
    try:
        until(lambda: put(second, "meanwhile"), ELECTED_S)
    finally:
        os.kill(nodes[first].pid("api"), signal.SIGCONT)
    strong = {"Nalanda-Consistency": "strong"}
    answer = call(first, "GET", "/libraries/meanwhile", headers=strong)
    assert answer is None or answer.status_code in {200, 503}
    until(lambda: put(first, "woken"), ELECTED_S)
    assert state_of(first)["epoch"] > epoch  # on a loaded machine `first` may lead again
    assert_same(first, third, {"before", "meanwhile", "woken"})


def test_a_leader_that_stops_leaves_no_lease_to_wait_for(nodes: Nodes) -> None:
    first, second, third = nodes
    nodes[first].stop("api")
    until(lambda: put(second, "after"), ELECTED_S)
    assert_same(second, third, {"after"})


def test_a_session_of_the_sdk_outlasts_its_leaders(nodes: Nodes) -> None:
    first, second, third = nodes
    with Nalanda(list(nodes), timeout_s=60) as client:
        session = Session(client)
        with session.run():
            session.wait_for_rounds(ELECTED_S)
            nodes[first].kill("api")
            session.wait_for_rounds(ELECTED_S)
            paused = leader_of(third)
            assert paused is not None
            other = second if paused == third else third
            os.kill(nodes[paused].pid("api"), signal.SIGSTOP)
            try:
                until(lambda: leader_of(other) != paused, ELECTED_S)
                session.wait_for_rounds(ELECTED_S)
            finally:
                os.kill(nodes[paused].pid("api"), signal.SIGCONT)
            session.wait_for_rounds(ELECTED_S)
    assert_same(second, third, {"s"})
