"""A restored database, in a data directory with another database's checkpoints."""

import random
from pathlib import Path

import pytest

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.backup.restore_target import PostgresRestoreTarget
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.backup_run import back_up
from core.backup.restore import restore_into
from tests.integration.backup.case import silent
from tests.integration.storage.nodes import Node, Writes
from tests.waiting import until

CHECKPOINT = 8


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """Return a folder for the positions 5 and 12; `tmp_path/data` has a checkpoint between."""
    data_dir = tmp_path / "data"
    node = Node(data_dir)
    writes = Writes(node, random.Random(1))
    writes.fill()
    for position in range(2, 13):
        writes.one()
        if position == CHECKPOINT:
            node.settle()
            assert node.checkpoints.make() == CHECKPOINT
        if position in (5, 12):  # each is full, since these writes set no versions
            database = SqliteBackupDatabase(data_dir / DATABASE_NAME)
            back_up(database, tmp_path / "backups" / str(position), silent)
    node.stop()
    return tmp_path / "backups"


@pytest.mark.parametrize(("position", "written"), [(5, 0), (5, 1), (5, 3), (5, 6), (12, 2)])
def test_a_checkpoint_is_taken_only_of_the_same_history(
    backups: Path, postgres_url: str, position: int, written: int
) -> None:
    """New writes to that position make the database differ from the checkpoint's."""
    restore_into(PostgresRestoreTarget(postgres_url), backups / str(position), silent)
    other = backups.parent / "other"
    node = Node(other, PostgresStore(postgres_url, other))
    node.check()
    writes = Writes(node, random.Random(2))
    for _ in range(written):
        writes.one()
    node.stop()
    data_dir = backups.parent / "data"
    node = Node(data_dir, PostgresStore(postgres_url, data_dir))
    assert bool(node.checkpoint.set_aside) == (position < CHECKPOINT)
    assert bool(node.checkpoint.manifests) == (position >= CHECKPOINT)
    if node.checkpoint.missing:
        node.rebuilder.start()
        until(lambda: not node.catalog.state.missing)
    node.check()
    node.check_lexical()
    writes.node = node
    writes.one()
    node.settle()
    node.checkpoints.make()
    node.stop()
    node = Node(data_dir, PostgresStore(postgres_url, data_dir))
    assert not node.checkpoint.set_aside
    assert node.checkpoint.manifests
    node.check()
    node.stop()
