"""A follower with a data directory of its own serves what the record of another node has."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.domain.errors import StorageError, Unavailable
from core.domain.library import IndexKind, IndexSpec
from core.replication.follower import Follower
from tests.integration.storage.nodes import Node, Writes
from tests.postgres import PostgresServer
from tests.waiting import until


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.lexical.catch_up.IN_FILES_FROM", 20)


class Following(Node):
    """A node that follows, with builds and checkpoints; its tail runs only if it is started."""

    def __init__(self, url: str, data_dir: Path) -> None:
        store = PostgresStore(url, data_dir, follows=True)
        super().__init__(data_dir, store)
        self.follower = Follower(store, self.catalog, note=self.checkpoints.note)

    def catch_up(self) -> None:
        while self.follower.tail.follow() == 0.0:
            pass

    def stop(self) -> None:
        self.follower.close()
        super().stop()


Open = Callable[[], Following]


@pytest.fixture
def node(postgres_url: str, tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "leader", PostgresStore(postgres_url, tmp_path / "leader"))
    yield node
    node.stop()


@pytest.fixture
def follow(postgres_url: str, tmp_path: Path) -> Open:
    return lambda: Following(postgres_url, tmp_path / "follower")


@pytest.mark.parametrize("seed", range(4))
def test_any_writes_are_followed_while_segments_are_built(
    node: Node, follow: Open, seed: int
) -> None:
    chance = random.Random(seed)
    writes = Writes(node, chance)
    for id_ in ("lib", "other"):
        writes.fill(id_, index=IndexSpec(chance.choice([IndexKind.FLAT, IndexKind.HNSW])))
    following = follow()
    for _ in range(10):
        for _ in range(chance.randrange(20)):
            writes.one()
        if chance.random() < 0.4:
            node.checkpoints.make()
        following.catch_up()
        following.check()
        if chance.random() < 0.5:
            following.check_lexical()
        if chance.random() < 0.3:
            following.settle()
        if chance.random() < 0.5:
            following.checkpoints.make()
        if chance.random() < 0.3:
            following.stop()
            following = follow()
    following.stop()


def test_the_thread_keeps_up_with_writes_and_builds(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(5))
    writes.fill()
    following = follow()
    following.follower.start()
    for number in range(200):
        writes.one()
        if number % 40 == 0:
            following.checkpoints.make()
    until(lambda: following.catalog.position == node.catalog.position)
    following.settle()
    following.check()
    assert all(segment.index for segment in following.catalog.state.views["lib"].segments[:-1])
    following.stop()


def test_a_follower_starts_from_its_own_checkpoint(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(6))
    writes.fill()
    following = follow()
    following.settle()
    following.checkpoints.make()
    following.stop()
    writes.one()
    again = follow()
    segments = again.catalog.state.views["lib"].segments
    assert segments[0].rows.mapped
    again.check()
    again.stop()


def test_a_follower_that_the_log_was_trimmed_for_reads_the_record(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(7))
    writes.fill()
    following = follow()
    following.check_lexical()
    for _ in range(3):
        writes.one()
        node.checkpoints.make()  # which trims the log
    with node.store.read() as snapshot:
        assert (snapshot.log.oldest or 0) > following.catalog.position + 1
    following.catch_up()
    following.check()
    following.check_lexical()
    following.stop()


def test_a_checkpoint_that_the_log_was_trimmed_for_is_set_aside(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(8))
    writes.fill()
    following = follow()
    following.checkpoints.make()
    following.stop()
    for _ in range(3):
        writes.one()
        node.checkpoints.make()
    again = follow()
    assert again.checkpoint.set_aside
    again.catch_up()
    again.check()
    again.stop()


def test_a_record_that_went_back_is_read_again(
    node: Node, follow: Open, postgres_url: str, postgres: PostgresServer
) -> None:
    writes = Writes(node, random.Random(9))
    writes.fill()
    following = follow()
    with node.store.write() as unit:
        unit.chunks.delete("lib", ["c1"])
        unit.commit()
    following.catch_up()
    with postgres.connect(postgres_url.split("/")[3].split("?")[0]) as connection:
        connection.execute("DELETE FROM log WHERE position = 2")
        connection.execute("UPDATE cluster SET position = 1")
    following.catch_up()
    assert following.catalog.position == 1
    following.check()
    following.stop()


def test_a_record_with_another_history_is_read_again(
    node: Node, follow: Open, postgres_url: str, postgres: PostgresServer
) -> None:
    writes = Writes(node, random.Random(10))
    writes.fill()
    following = follow()
    writes.one()
    following.catch_up()
    with postgres.connect(postgres_url.split("/")[3].split("?")[0]) as connection:
        connection.execute("UPDATE log SET hash = sha256('another') WHERE position = 2")
        connection.execute("DELETE FROM chunks WHERE id = 'c3'")
    following.catch_up()
    following.check()
    following.stop()


def test_a_database_that_does_not_answer_is_followed_again(
    node: Node, follow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(node, random.Random(11))
    writes.fill()
    following = follow()

    class Silent:
        def __enter__(self) -> None:
            raise Unavailable("No connection to the database was free in time.")

        def __exit__(self, *_: object) -> None: ...

    with monkeypatch.context() as patch:
        patch.setattr(following.store, "read", Silent)
        patch.setattr("core.replication.tail._RETRY_S", 0.01)
        writes.one()
        following.follower.start()
        until(lambda: following.follower.tail.error is not None)
        assert following.follower.lag.entries == 1
    until(lambda: following.catalog.position == node.catalog.position)
    until(lambda: following.follower.tail.error is None)
    assert following.follower.lag.entries == 0
    following.stop()


def test_a_follower_takes_over_and_steps_down_in_place(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(12))
    writes.fill()
    following = follow()
    store = following.store
    assert isinstance(store, PostgresStore)
    with pytest.raises(Unavailable, match="follows the leader"), store.write():
        pass
    following.catch_up()
    store.take_over()
    own = Writes(following, random.Random(13))
    for _ in range(20):
        own.one()
    following.check()
    with pytest.raises(Unavailable, match="taken over"):
        writes.one()
    store.step_down()
    with pytest.raises(Unavailable, match="follows the leader"):
        own.one()
    following.check()
    following.stop()


def test_a_follower_that_begins_to_write_has_all_writes_before(node: Node, follow: Open) -> None:
    writes = Writes(node, random.Random(13))
    writes.fill()
    following = follow()
    following.catch_up()
    writes.one()
    assert isinstance(following.store, PostgresStore)
    following.store.take_over()
    following.catch_up()
    following.check()
    following.stop()


def test_no_write_is_lost_where_a_follower_takes_over_under_load(node: Node, follow: Open) -> None:
    Writes(node, random.Random(14)).fill()
    following = follow()
    following.follower.start()
    acknowledged: list[int] = []

    def write() -> None:
        for number in range(1_000):
            try:
                with node.store.write() as unit:
                    unit.chunks.delete("lib", [f"c{number}"])
                    unit.commit()
            except Unavailable:
                return
            acknowledged.append(unit.position)

    thread = threading.Thread(target=write)
    thread.start()
    until(lambda: len(acknowledged) > 20)
    store = following.store
    assert isinstance(store, PostgresStore)
    store.take_over()
    thread.join()
    following.follower.close()
    following.catch_up()
    assert following.catalog.position >= acknowledged[-1]
    following.check()
    following.stop()


def test_sqlite_has_no_followers(tmp_path: Path) -> None:
    from core.bootstrap import open_core
    from core.settings import Settings

    with pytest.raises(StorageError, match="NALANDA_DATABASE_URL"):
        open_core(Settings(data_dir=tmp_path, database_url=None, role="follower"))
