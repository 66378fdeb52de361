"""A data directory with a store, and a directory for its backups."""

from datetime import datetime
from pathlib import Path
from typing import Any

import apsw

from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.backups import SqliteBackedUp
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.manifest import Kind
from core.backup.restoring import restore
from core.backup.taking import Taken, back_up
from tests.integration.backup.recorded import Digests, Writer, digest_in


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


class Case:
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
        return back_up(database, self.directory, silent, full=full)

    def restored(
        self, position: int | None = None, time: datetime | None = None
    ) -> tuple[int, str]:
        """What is there afterwards."""
        self._restored += 1
        target = self.root / f"restored-{self._restored}"
        made = restore(self.directory, target, silent, position=position, time=time)
        found = digest_in(target)
        assert found[0] == made.position
        return found

    def expected(self, position: int) -> tuple[int, str]:
        return position, self.digests.by_position[position]


def kinds(taken: Taken) -> list[Kind]:
    return [manifest.kind for manifest in taken.manifests]


def appended(data_dir: Path, position: int) -> list[Any]:
    """Feedback, replays and log entries up to this position, and how many came after it."""
    connection = apsw.Connection(str(data_dir / DATABASE_NAME))
    found: list[Any] = []
    for table, column in (("feedback", "version"), ("replays", "version"), ("log", "position")):
        sql = f"SELECT * FROM {table} WHERE {column} <= ? ORDER BY {column}"
        found.append(connection.execute(sql, (position,)).fetchall())
    connection.close()
    return found
