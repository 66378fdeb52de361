"""The leader of three nodes hands over while clients write through all of them."""

import os
import re
import signal
from collections.abc import Iterator

import httpx
import pytest

from nalanda import Nalanda
from tests.e2e.nodes import (
    ELECTED_S,
    Nodes,
    Writers,
    assert_equal_digests,
    call,
    leader_of,
    state_of,
    three_nodes,
    wait_for_leader,
)
from tests.e2e.session import Session
from tests.postgres import PostgresServer
from tests.waiting import until


@pytest.fixture(scope="module")
def nodes(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with three_nodes(postgres, tmp_path_factory.mktemp("nodes"), lease_s=5) as nodes:
        yield nodes


def hand_over(url: str, **body: str) -> httpx.Response:
    answer = call(url, "POST", "/cluster/hand-over", json=body)
    assert answer is not None
    return answer


def others_of(nodes: Nodes, leader: str | None) -> list[str]:
    return [url for url in nodes if url != leader]


def number_of(name: str, exposition: str) -> float:
    [value] = re.findall(rf"^{name} (.+)$", exposition, re.MULTILINE)
    return float(value)


def test_no_write_is_refused_or_lost(nodes: Nodes) -> None:
    writers = Writers(list(nodes))
    before = wait_for_leader(nodes)
    one, other = others_of(nodes, before)
    with writers.write():
        writers.wait_for_more()
        to = state_of(one)["node_id"]
        answer = hand_over(other, to=to)
        assert (answer.status_code, answer.json()["to"]) == (202, to)
        until(lambda: leader_of(before) == one, ELECTED_S)
        writers.wait_for_more()
        assert hand_over(one).status_code == 202
        until(lambda: leader_of(one) not in {one, None}, ELECTED_S)
        writers.wait_for_more()
    assert writers.unanswered == 0
    for url in nodes:
        metrics = call(url, "GET", "/metrics")
        assert metrics is not None
        assert number_of("nalanda_forwarded_requests_total", metrics.text) > 0
        assert number_of("nalanda_elections_total", metrics.text) > 1
    writers.assert_all_there_once(one)
    assert_equal_digests(*nodes)


def test_a_node_that_does_not_take_over_leaves_the_lead_where_it_was(nodes: Nodes) -> None:
    leader = wait_for_leader(nodes)
    paused, other = others_of(nodes, leader)
    epoch, to = state_of(leader)["epoch"], state_of(paused)["node_id"]
    writers = Writers([leader, other])
    with writers.write():
        writers.wait_for_more()
        os.kill(nodes[paused].pid("api"), signal.SIGSTOP)
        try:
            assert hand_over(other, to=to).status_code == 202
            until(lambda: state_of(leader)["epoch"] > epoch, ELECTED_S)
            assert leader_of(other) == leader
            writers.wait_for_more()
        finally:
            os.kill(nodes[paused].pid("api"), signal.SIGCONT)
    writers.assert_all_there_once(other)
    assert_equal_digests(*nodes)


def test_a_hand_over_to_a_node_that_can_t_lead_says_why(nodes: Nodes) -> None:
    leader = wait_for_leader(nodes)
    unknown = hand_over(others_of(nodes, leader)[0], to="unknown")
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/to")
    itself = hand_over(leader, to=state_of(leader)["node_id"])
    assert (itself.status_code, leader_of(leader)) == (409, leader)
    assert "leads already" in itself.json()["detail"]


def test_nodes_restart_one_after_the_other_amid_writes(nodes: Nodes) -> None:
    wait_for_leader(nodes)
    writers = Writers(list(nodes))
    with Nalanda(list(nodes), timeout_s=60) as client, writers.write():
        session = Session(client)
        with session.run():
            for node in nodes.values():
                writers.wait_for_more()
                session.wait_for_rounds(ELECTED_S)
                node.stop("api")
                node.start("api")
            writers.wait_for_more()
            session.wait_for_rounds(ELECTED_S)
    writers.assert_all_there_once(wait_for_leader(nodes))
    assert_equal_digests(*nodes)
