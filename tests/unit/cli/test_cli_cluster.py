"""`nalanda cluster`."""

import json
from typing import Any

import httpx

from tests.unit.cli.conftest import NOW, Run, Server

LEADER = {"node_id": "a", "address": "http://a:8000"}
NODE = {**LEADER, "role": "leader", "position": 9, "lag": 0, "last_seen_at": NOW}
OTHER = {
    **NODE,
    "node_id": "b",
    "address": "http://b:8000",
    "role": "follower",
    "lag": 2,
    "capacity_bytes": 2**30,
    "libraries": ["l1", "l2"],
}
CLUSTER: dict[str, Any] = {
    "node_id": "a",
    "role": "leader",
    "epoch": 3,
    "position": 9,
    "digest": "f" * 64,
    "durability": "synchronous",
    "leader": LEADER,
    "nodes": [NODE, OTHER],
}
NO_LEADER = {**CLUSTER, "leader": None, "durability": None}
B_LEADS = {**CLUSTER, "epoch": 4, "leader": {"node_id": "b", "address": "http://b:8000"}}
TO_B = httpx.Response(202, json={"to": "b", "epoch": 3})
PATH = "/cluster/hand-over"


def test_the_nodes_are_shown(run: Run, server: Server) -> None:
    server.answer("/cluster", CLUSTER, NO_LEADER)
    assert run("cluster", "status").out == (
        "http://a:8000 leads in epoch 3. Durability: synchronous.\n"
        "a\thttp://a:8000\tleader\t9\t0\tall\t2026-01-02 03:04:05+00:00\n"
        "b\thttp://b:8000\tfollower\t9\t2\t2\t2026-01-02 03:04:05+00:00\n"
    )
    assert run("cluster", "status").out.startswith("No node leads in epoch 3. Durability: unknown.")
    assert json.loads(run("cluster", "status", "--json").out)["epoch"] == 3


def test_a_hand_over_waits_until_the_node_leads(run: Run, server: Server) -> None:
    server.answer("/cluster", CLUSTER, NO_LEADER, B_LEADS)
    server.answer(PATH, TO_B)
    outcome = run("cluster", "hand-over", "--to", "b")
    assert (outcome.status, outcome.out) == (0, "b at http://b:8000 leads in epoch 4.\n")
    assert json.loads(server.requests[0].content) == {"to": "b"}
    assert len(server.requests) == 4


def test_a_node_that_does_not_take_over_is_named(run: Run, server: Server) -> None:
    server.answer("/cluster", {**CLUSTER, "epoch": 5})
    server.answer(PATH, TO_B)
    outcome = run("cluster", "hand-over")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        "nalanda: b did not take over in time: a at http://a:8000 leads in epoch 5.\n"
    )
    assert json.loads(server.requests[0].content) == {}


def test_a_refusal_is_one_line(run: Run, server: Server) -> None:
    problem = {"title": "Conflict", "detail": "On SQLite there is one node."}
    server.answer(PATH, httpx.Response(409, json=problem))
    outcome = run("cluster", "hand-over")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert "On SQLite there is one node." in outcome.err
    assert len(server.requests) == 1
