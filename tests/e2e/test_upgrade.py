"""Three nodes are upgraded by one version, one after the other, while clients write and read."""

from pathlib import Path

import psycopg

from core.adapters.postgres.connections.migrate import MIGRATIONS
from nalanda import Nalanda
from tests.e2e.nodes import (
    ELECTED_S,
    Writers,
    assert_equal_digests,
    call,
    nodes_of,
    wait_for_leader,
)
from tests.e2e.session import Session
from tests.e2e.stack import Stack
from tests.postgres import PostgresServer
from tests.waiting import until

NEWER = Path(__file__).parents[1] / "cluster" / "newer"


def upgrade(node: Stack) -> None:
    """Stop a node, and start the next version in its place."""
    node.stop("api")
    node.environments["api"] = {**node.environments["api"], "PYTHONPATH": str(NEWER)}
    node.start("api")


def is_barred(url: str) -> bool:
    """Return whether a node says that it may not lead in a newer database."""
    ready = call(url, "GET", "/readyz")
    return ready is not None and "A newer Nalanda" in str(ready.json()["checks"])


def test_an_upgrade_fails_no_request(postgres: PostgresServer, tmp_path: Path) -> None:
    with (
        postgres.database() as database_url,
        nodes_of(tmp_path, database_url, 3, NALANDA_LEASE_S="5") as stacks,
    ):
        nodes = {node.api_url: node for node in stacks}
        _, second, third = nodes
        writers = Writers(list(nodes))
        with Nalanda(list(nodes), timeout_s=60) as client, writers.write():
            session = Session(client)
            with session.run():
                for node in stacks:
                    writers.wait_for_more()
                    session.wait_for_rounds(ELECTED_S)
                    upgrade(node)
                    if node is stacks[0]:
                        until(lambda: is_barred(second) and is_barred(third), ELECTED_S)
                writers.wait_for_more()
                session.wait_for_rounds(ELECTED_S)
        writers.assert_all_there_once(wait_for_leader(nodes))
        assert_equal_digests(*nodes)
        assert not any(is_barred(url) for url in nodes)
        with psycopg.connect(database_url) as connection:
            newest = connection.execute("SELECT max(number) FROM nalanda_format").fetchall()
        assert newest == [(len(MIGRATIONS) + 1,)]
