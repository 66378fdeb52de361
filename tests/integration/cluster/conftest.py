"""The record of a cluster on PostgreSQL, and nodes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.cluster import PostgresClusterRecord
from core.adapters.postgres.connections.database import Database
from core.ports.cluster import Node

LIMIT_S = 20.0


@pytest.fixture
def database_url(postgres_url: str, tmp_path: Path) -> str:
    """Return the URL of a database with Nalanda's tables."""
    PostgresStore(postgres_url, tmp_path / "tables").close()
    return postgres_url


@pytest.fixture
def record(database_url: str) -> Iterator[PostgresClusterRecord]:
    with closing(PostgresClusterRecord(Database(database_url), LIMIT_S)) as opened:
        yield opened


def epoch_of(record: PostgresClusterRecord, node: Node) -> int:
    """Let a node take a released lease; return its epoch."""
    term = record.take(node, record.look().lease, 5)
    assert term is not None
    return term.epoch


def a_node(id_: str, incarnation: str = "first") -> Node:
    return Node(id_, incarnation, f"http://{id_}:8000", "1.0")
