"""Nodes that redirect to the leader (`NALANDA_FORWARD=redirect`), and the SDK, which follows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nalanda import Nalanda
from tests.e2e.nodes import ELECTED_S, Nodes, call, nodes_of, wait_for_leader
from tests.e2e.session import Session
from tests.postgres import PostgresServer


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[Nodes]:
    """Yield two nodes, of which the first one leads."""
    settings = {"NALANDA_FORWARD": "redirect", "NALANDA_LEASE_S": "2"}
    with postgres.database() as url, nodes_of(tmp_path, url, 2, **settings) as nodes:
        yield {node.api_url: node for node in nodes}


def test_a_follower_redirects_a_write_and_serves_a_read(nodes: Nodes) -> None:
    leader, follower = nodes
    path = "/libraries/a%20name?x=%2F"
    answer = call(follower, "PUT", path, json={"name": "n"})
    assert answer is not None
    assert (answer.status_code, answer.headers["Location"]) == (307, f"{leader}{path}")
    listed = call(follower, "GET", "/libraries")
    assert listed is not None
    assert (listed.status_code, listed.json()["items"]) == (200, [])


def test_the_sdk_follows_the_leader_from_any_node(nodes: Nodes) -> None:
    """It knows one address, which is the follower's, and finds the leader by the redirect."""
    _, follower = nodes
    with Nalanda(follower) as client:
        client.libraries.create("harbours", dimension=2)
        client.documents.replace("harbours", "d", chunks=[{"text": "t", "embedding": [1, 0]}])
        assert client.search("harbours", embedding=[1, 0], k=1).hits[0].text == "t"


def test_a_session_outlasts_a_hand_over_and_a_kill(nodes: Nodes) -> None:
    with Nalanda(list(nodes), timeout_s=60) as client:
        session = Session(client)
        with session.run():
            session.wait_for_rounds(ELECTED_S)
            client.cluster.wait_for_leader(client.cluster.hand_over(), timeout_s=ELECTED_S)
            session.wait_for_rounds(ELECTED_S)
            nodes[wait_for_leader(nodes)].kill("api")
            session.wait_for_rounds(ELECTED_S)
