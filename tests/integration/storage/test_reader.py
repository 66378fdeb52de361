"""A reader, which follows the log and the checkpoints, serves what the record has."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.replica import PostgresReplica
from core.adapters.sqlite.replica import SqliteReplica
from core.domain.changes import EmbeddingsReplaced
from core.domain.errors import StorageError, Unavailable
from core.domain.library import IndexKind, IndexSpec
from core.domain.model_change import StagedEmbedding
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import LexicalFiles
from core.indexing.views.catalog import Catalog, CatalogState
from core.ports.store import Store
from core.replication.position_file import PositionFile
from core.replication.reader import CheckpointReader, Reader
from core.verification import index
from tests.integration.storage.nodes import DIMENSION, Node, Writes
from tests.waiting import until


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.lexical.catch_up.IN_FILES_FROM", 20)


class Following(Node):
    """A reader of a node in the same process; no thread of it runs unless it is started."""

    def __init__(self, writer: Node, data_dir: Path, replica: Store | None = None) -> None:
        self.directory = writer.directory
        self.store = replica or SqliteReplica(data_dir / "nalanda.db")
        checkpoints = CheckpointReader(self.directory)
        with self.store.read() as snapshot:
            loaded = checkpoints.load(snapshot)
            log_hash = snapshot.log.last_hash
            state = CatalogState.of(snapshot.position, loaded.views, log_hash=log_hash)
            self.catalog = Catalog(state)
        working = data_dir / "words-of-reader"
        working.mkdir(exist_ok=True)
        self.lexical = LexicalIndexes(
            self.catalog, LexicalFiles(working, self.directory), loaded.lexical
        )
        self.reader = Reader(self.store, self.catalog, checkpoints, lambda: writer.store.position)

    def catch_up(self) -> None:
        while self.reader.tail.follow() == 0.0:
            pass

    def stop(self) -> None:
        self.reader.close()
        self.store.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    node.stop()


@pytest.mark.parametrize("seed", range(8))
def test_any_writes_and_checkpoints_are_followed(node: Node, tmp_path: Path, seed: int) -> None:
    follow_any_writes(node, tmp_path, seed)


def test_a_postgres_record_is_followed(postgres_url: str, tmp_path: Path) -> None:
    node = Node(tmp_path, PostgresStore(postgres_url, tmp_path))
    replica = PostgresReplica(postgres_url, "full")
    with pytest.raises(Unavailable, match="only reads"):
        replica.write()
    follow_any_writes(node, tmp_path, seed=8, replica=replica)
    node.stop()


def follow_any_writes(node: Node, tmp_path: Path, seed: int, replica: Store | None = None) -> None:
    chance = random.Random(seed)
    writes = Writes(node, chance)
    for id_ in ("lib", "other"):
        writes.fill(id_, index=IndexSpec(chance.choice([IndexKind.FLAT, IndexKind.HNSW])))
    if chance.random() < 0.5:
        node.checkpoints.make()
    following = Following(node, tmp_path, replica)
    for _ in range(8):
        for _ in range(chance.randrange(12)):
            writes.one()
        if chance.random() < 0.5:
            node.settle()
            node.checkpoints.make()
        if chance.random() < 0.5:
            following.reader.adopt()
        if chance.random() < 0.5:
            writes.one()
        following.catch_up()
        following.check()
        if chance.random() < 0.5:
            following.check_lexical()
    following.stop()


def test_segments_of_a_checkpoint_replace_the_delta(node: Node, tmp_path: Path) -> None:
    writes = Writes(node, random.Random(1))
    writes.fill()
    following = Following(node, tmp_path)
    view = following.catalog.state.views["lib"]
    assert [segment.index for segment in view.segments] == [None]
    node.settle()
    node.checkpoints.make()
    following.reader.adopt()
    following.catch_up()
    [segment] = following.catalog.state.views["lib"].segments
    assert segment.index is not None
    assert segment.rows.mapped
    writes.one()
    node.checkpoints.make()
    following.reader.adopt()
    following.catch_up()
    again = following.catalog.state.views["lib"].segments[0]
    assert again.rows is segment.rows  # its files were not opened again
    following.check()
    following.stop()


def test_a_reader_behind_the_log_loads_the_checkpoint(node: Node, tmp_path: Path) -> None:
    writes = Writes(node, random.Random(2))
    writes.fill()
    following = Following(node, tmp_path)
    for _ in range(3):
        writes.one()
        node.checkpoints.make()  # which trims the log
    with node.store.read() as snapshot:
        assert (snapshot.log.oldest or 0) > following.catalog.position + 1
    following.catch_up()
    following.check()
    following.stop()


@pytest.mark.parametrize("dimension", [DIMENSION, DIMENSION + 2])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_switch_of_the_model_is_followed(
    node: Node, tmp_path: Path, dimension: int, checkpoint: bool
) -> None:
    writes = Writes(node, random.Random(5))
    writes.fill()
    node.settle()
    node.checkpoints.make()
    following = Following(node, tmp_path)
    switch(node, dimension)
    if checkpoint:
        node.settle()
        node.checkpoints.make()
        following.reader.adopt()
    following.catch_up()
    view = following.catalog.state.views["lib"]
    assert (view.library.embedding_model, view.library.dimension) == ("new", dimension)
    assert {segment.rows.dimension for segment in view.segments} == {dimension}
    with following.store.read() as snapshot:
        assert list(index.problems(snapshot, following.catalog, full=True)) == []
    following.stop()


def switch(node: Node, dimension: int) -> None:
    """Switch the library `lib` to the model `new`."""
    random_ = np.random.default_rng(6)
    with node.store.write() as unit:
        library = unit.libraries.get("lib")
        chunks = unit.staged.chunks_to_stage("lib", "new", after="", limit=10_000)
        rows = random_.standard_normal((len(chunks), dimension)).astype(np.float32)
        staged = [
            StagedEmbedding(c.id, c.version, row) for c, row in zip(chunks, rows, strict=True)
        ]
        unit.staged.put("lib", "new", staged)
        moved = replace(library, embedding_model="new", dimension=dimension, version=unit.position)
        unit.libraries.put(moved)
        replaced = EmbeddingsReplaced("lib", [chunk.id for chunk in chunks], rows)
        unit.staged.switch("new", replaced)
        unit.commit()


def test_threads_follow_writes(node: Node, tmp_path: Path) -> None:
    writes = Writes(node, random.Random(3))
    writes.fill()
    following = Following(node, tmp_path)
    following.reader.start()
    for _ in range(20):
        writes.one()
        until(lambda: following.catalog.position == node.catalog.position)
    node.checkpoints.make()
    until(lambda: following.catalog.position == node.catalog.position)
    following.check()
    following.stop()


def test_a_replica_refuses_to_write(node: Node, tmp_path: Path) -> None:
    Writes(node, random.Random(4)).fill()
    replica = SqliteReplica(tmp_path / "nalanda.db")
    assert (replica.instance_id, replica.position) == (node.store.instance_id, 1)
    for write in (
        lambda: replica.write(after_listeners=True),
        lambda: replica.subscribe(lambda *_: None),
        lambda: replica.trim_log(1),
        replica.reclaim,
    ):
        with pytest.raises(Unavailable, match="only reads"):
            write()
    replica.close()


def test_a_replica_needs_a_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        SqliteReplica(tmp_path / "nalanda.db")


def test_positions_are_shared_at_once(tmp_path: Path) -> None:
    path = tmp_path / "position"
    path.touch()
    writer, reader = PositionFile(path), PositionFile(path)
    assert reader.position == 0
    for position in (1, 2**40, 2**63):
        writer.publish(position)
        assert reader.position == position
    writer.close()
    reader.close()
