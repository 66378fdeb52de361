"""A data directory with a store, and a directory for its backups."""

from datetime import datetime
from pathlib import Path
from typing import Any

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.backup.source import PostgresBackupDatabase
from core.adapters.sqlite import SqliteStore
from core.adapters.sqlite.backup.source import SqliteBackupDatabase
from core.adapters.sqlite.store import DATABASE_NAME
from core.backup.backup_run import BackupResult, back_up
from core.backup.manifest import Kind
from core.backup.restore import restore
from core.ports.backups import APPENDED, BackupDatabase
from core.ports.store import Store
from tests.integration.backup.recorded import Digests, Writer, digest_in


def silent(done: int, total: int) -> None:
    assert 0 <= done <= total


class Case:
    def __init__(self, root: Path, postgres_url: str | None = None) -> None:
        self.root = root
        self.data_dir = root / "data"
        self.directory = root / "backups"
        self.store: Store
        self.database: BackupDatabase
        if postgres_url is None:
            self.store = SqliteStore(self.data_dir)
            self.database = SqliteBackupDatabase(self.data_dir / DATABASE_NAME)
        else:
            self.store = PostgresStore(postgres_url, self.data_dir)
            self.database = PostgresBackupDatabase(postgres_url)
        self.digests = Digests(self.store)
        self.writer = Writer(self.store, 1, self.digests.notes)
        self._restored = 0

    def write(self, times: int) -> int:
        for _ in range(times - 1):
            self.writer.write()
        return self.writer.write()

    def back_up(self, *, full: bool = False) -> BackupResult:
        return back_up(self.database, self.directory, silent, full=full)

    def restore(self, position: int | None = None, time: datetime | None = None) -> tuple[int, str]:
        """Restore, and return the position and digest."""
        self._restored += 1
        target = self.root / f"restored-{self._restored}"
        made = restore(self.directory, target, silent, position=position, time=time)
        digest = digest_in(target)
        assert digest[0] == made.position
        return digest

    def expected(self, position: int) -> tuple[int, str]:
        return position, self.digests.by_position[position]


def kinds(taken: BackupResult) -> list[Kind]:
    return [manifest.kind for manifest in taken.manifests]


def rows_up_to(database: BackupDatabase, position: int) -> dict[str, list[dict[str, Any]]]:
    """Return feedback, replays and log entries up to this position; each kind occurs."""
    tables: dict[str, list[dict[str, Any]]] = {}
    with database.source() as source:
        for name, column in APPENDED.items():
            columns = source.columns(name)
            rows = [dict(zip(columns, row, strict=True)) for row in source.appended_rows(name, 0)]
            tables[name] = [row for row in rows if row[column] <= position]
            assert tables[name]
    return tables
