"""A database that does not answer in time."""

import socket
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.adapters.postgres.cluster import PostgresClusterRecord
from core.adapters.postgres.connections.database import Database
from core.domain.errors import Unavailable
from tests.integration.cluster.conftest import a_node, epoch_of
from tests.relay import Relay

SHORT_S = 0.3


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Yield a port where connections are accepted, and no byte is ever answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_silent_server_is_an_error(silent_port: int) -> None:
    database = Database(f"postgresql://postgres@127.0.0.1:{silent_port}/x")
    with closing(PostgresClusterRecord(database, SHORT_S)) as record, pytest.raises(Unavailable):
        record.look()


def test_a_row_that_another_session_has_locked_is_an_error(database_url: str) -> None:
    node = a_node("a")
    with closing(PostgresClusterRecord(Database(database_url), SHORT_S)) as record:
        epoch = epoch_of(record, node)
        with psycopg.connect(database_url) as other:
            other.execute("SELECT FROM lease FOR UPDATE")
            with pytest.raises(Unavailable):
                record.renew(node, epoch, 5)
        assert record.renew(node, epoch, 5)


def test_a_connection_that_passes_nothing_on_is_replaced(database_url: str) -> None:
    with (
        Relay(database_url) as relay,
        closing(PostgresClusterRecord(Database(relay.url), SHORT_S)) as record,
    ):
        record.look()
        relay.cut()
        with pytest.raises(Unavailable):
            record.look()
        relay.restore()
        record.look()


def test_a_server_that_has_answered_is_tried_before_a_silent_one(database_url: str) -> None:
    """A new leader connects within its lease, though the first server of the list is gone."""
    folder = conninfo_to_dict(database_url)["host"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        ports = f"{silent.getsockname()[1]},5432"
        database = Database(make_conninfo(database_url, host=f"127.0.0.1,{folder}", port=ports))
        with closing(PostgresClusterRecord(database, SHORT_S)) as record:
            record.look()
        silent.accept()[0].close()
        database.connect("full").close()
        with pytest.raises(BlockingIOError):
            silent.accept()
