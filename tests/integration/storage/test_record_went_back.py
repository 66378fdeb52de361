"""A record that went back is noticed at every position by a node that has applied its future."""

import logging
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.domain.errors import Unavailable
from core.ports.store import Snapshot
from core.replication.follower import Follower
from tests.integration.storage.nodes import Node, Writes

TABLES = ("libraries", "documents", "chunks")


class Following(Node):
    """A node that follows, step by step."""

    def __init__(self, url: str, data_dir: Path) -> None:
        store = PostgresStore(url, data_dir, follows=True)
        super().__init__(data_dir, store)
        self.follower = Follower(store, self.catalog, note=self.checkpoints.note)

    def catch_up(self) -> None:
        while self.follower.tail.follow() == 0.0:
            pass


@pytest.fixture
def following(postgres_url: str, tmp_path: Path) -> Iterator[Following]:
    """Yield a follower at position 3 of a record that went back to position 1."""
    with closing(PostgresStore(postgres_url, tmp_path / "leader")) as leader:
        leader_node = Node(tmp_path / "leader", leader)
        Writes(leader_node, random.Random(3)).fill()
        with psycopg.connect(postgres_url) as connection:
            for table in TABLES:
                connection.execute(f"CREATE TABLE kept_{table} AS TABLE {table}".encode())
        delete(leader, "c1")
        delete(leader, "c2")
        following = Following(postgres_url, tmp_path / "follower")
        following.catch_up()
        following.checkpoints.make()
        leader_node.builder.close()
    assert following.catalog.position == 3
    with psycopg.connect(postgres_url) as connection:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table}".encode())
        for table in TABLES:
            connection.execute(f"INSERT INTO {table} TABLE kept_{table}".encode())
        connection.execute("DELETE FROM log WHERE position > 1")
        connection.execute("UPDATE cluster SET position = 1, epoch = 0")
    yield following
    following.stop()


def delete(store: PostgresStore, chunk_id: str) -> None:
    with store.write() as unit:
        unit.chunks.delete("lib", [chunk_id])
        unit.commit()


@pytest.mark.parametrize("new_writes", [0, 1, 2, 3])
def test_a_follower_notices_at_every_position_and_loads_the_record_again(
    following: Following,
    postgres_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    new_writes: int,
) -> None:
    """The new writes are of an epoch with the same number as the lost ones."""
    with closing(PostgresStore(postgres_url, tmp_path / "leader")) as leader:
        for number in range(new_writes):
            delete(leader, f"c{9 - number}")
    with caplog.at_level(logging.ERROR):
        following.catch_up()
    assert "The record went back" in caplog.text
    assert following.follower.tail.replacements == 1
    assert following.catalog.position == 1 + new_writes
    following.check()
    following.check_lexical()


def test_a_follower_serves_no_lost_write_while_it_loads_the_record(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    tail = following.follower.tail
    load = tail._reload
    said: list[str] = []

    def check_and_load(snapshot: Snapshot, before: object) -> object:
        with pytest.raises(Unavailable, match="being rebuilt"):
            following.catalog.library("lib")
        said.append(str(tail.replaced))
        return load(snapshot, before)  # type: ignore[arg-type]

    monkeypatch.setattr(tail, "_reload", check_and_load)
    following.catch_up()
    assert said == ["The record is at 1; the state is at 3."]
    assert tail.replaced is None
    following.check()


def test_a_follower_whose_load_failed_loads_the_record_at_the_next_step(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise Unavailable("The database is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(following.follower.tail, "_reload", fail)
        with pytest.raises(Unavailable, match="is gone"):
            following.catch_up()
    assert following.catalog.state.missing
    following.catch_up()
    following.check()
    following.check_lexical()


def test_a_start_sets_aside_the_checkpoints_of_the_lost_future(
    following: Following, postgres_url: str, tmp_path: Path
) -> None:
    following.stop()
    with closing(PostgresStore(postgres_url, tmp_path / "leader")) as leader:
        for number in range(2):
            delete(leader, f"c{9 - number}")
    again = Following(postgres_url, tmp_path / "follower")
    assert "log does not have its position" in again.checkpoint.set_aside[0].problem
    again.catch_up()
    again.check()
    again.stop()
