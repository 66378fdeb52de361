"""Backups of a database that is written to, and what comes back from them."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import apsw
import pytest

from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.manifest import Kind
from core.backup.restoring import Restored, restore
from core.backup.taking import Taken, back_up
from tests.integration.backup.recorded import Digests, Writer, digest_in


class Case:
    """A data directory with a store, and a directory for its backups."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data_dir = root / "data"
        self.directory = root / "backups"
        self.store = SqliteStore(self.data_dir)
        self.digests = Digests(self.store)
        self.writer = Writer(self.store, seed=1)
        self._restored = 0

    def write(self, times: int) -> int:
        for _ in range(times - 1):
            self.writer.write()
        return self.writer.write()

    def back_up(self, *, full: bool = False) -> Taken:
        database = SqliteBackedUp(self.data_dir / DATABASE_NAME)
        return back_up(database, self.directory, lambda done, total: None, full=full)

    def restored(
        self, position: int | None = None, time: datetime | None = None
    ) -> tuple[int, str]:
        """What is there afterwards."""
        self._restored += 1
        target = self.root / f"restored-{self._restored}"
        made: Restored = restore(
            self.directory, target, lambda done, total: None, position=position, time=time
        )
        found = digest_in(target)
        assert found[0] == made.position
        return found

    def expected(self, position: int) -> tuple[int, str]:
        return position, self.digests.by_position[position]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.store.close()


def kinds(taken: Taken) -> list[Kind]:
    return [manifest.kind for manifest in taken.manifests]


def test_every_position_since_the_first_backup_can_be_restored(case: Case) -> None:
    first = case.write(30)
    assert kinds(case.back_up()) == [Kind.FULL]
    random = Random(2)
    for _ in range(6):
        case.write(random.randint(1, 40))
        assert kinds(case.back_up()) == [Kind.INCREMENTAL]
    last = max(case.digests.by_position)
    assert case.restored() == case.expected(last)
    for position in sorted(random.sample(range(first, last + 1), 25)):
        assert case.restored(position) == case.expected(position)
