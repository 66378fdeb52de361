"""Two nodes with API keys and readers: writes through every process, and hand-overs under load."""

from collections.abc import Iterator

import pytest

from nalanda import Nalanda
from tests.e2e.nodes import ELECTED_S, Writers, call, nodes_of
from tests.e2e.session import Session
from tests.postgres import PostgresServer

KEY = "key-of-all-nodes"
# A new connection for each request, so that the readers of each node serve some of them.
HEADERS = {"Authorization": f"Bearer {KEY}", "Connection": "close"}


@pytest.fixture(scope="module")
def urls(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    folder = tmp_path_factory.mktemp("nodes")
    settings = {"NALANDA_API_KEYS": KEY, "NALANDA_READERS": "2", "NALANDA_LEASE_S": "5"}
    with postgres.database() as url, nodes_of(folder, url, 2, **settings) as nodes:
        yield [node.api_url for node in nodes]


def test_a_hand_over_refuses_no_write(urls: list[str]) -> None:
    writers = Writers(urls, HEADERS)
    with Nalanda(urls, api_key=KEY, timeout_s=60) as client, writers.write():
        session = Session(client)
        with session.run():
            for _ in range(2):
                writers.wait_for_more()
                session.wait_for_rounds(ELECTED_S)
                to = client.cluster.hand_over()
                leader = client.cluster.wait_for_leader(to, timeout_s=ELECTED_S).leader
                assert leader is not None
                assert leader.node_id == to.to
            writers.wait_for_more()
            session.wait_for_rounds(ELECTED_S)
    assert writers.unanswered == 0
    for url in urls:
        writers.assert_all_there_once(url)


def test_no_process_hands_over_without_a_key(urls: list[str]) -> None:
    for url in urls:
        for _ in range(4):
            answer = call(
                url, "POST", "/cluster/hand-over", json={}, headers={"Connection": "close"}
            )
            assert answer is not None
            assert answer.status_code == 401
