"""The store: writes in groups, readers on connections of their own, and the listeners."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from core.adapters.data_dir import DataDirLock
from core.adapters.grouping import Grouping
from core.adapters.sqlite.database import open_writer
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.readers import Readers
from core.adapters.sqlite.rows import fetch
from core.adapters.sqlite.transactions import (
    Clock,
    SqliteSnapshot,
    SqliteTransaction,
    SqliteUnitOfWork,
)
from core.domain.changes import Change
from core.ports.store import Listener

DATABASE_NAME = "nalanda.db"

_TAKE_OVER = "UPDATE cluster SET epoch = epoch + 1 RETURNING epoch, cursor_key"

logger = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """Keeps `Store`'s promises with `DATA/nalanda.db`, in WAL mode, each commit on the disk.

    A listener that fails undoes nothing and keeps no other listener from being told: the write
    is on record, and the caller is told so. The failure is logged with its traceback.
    """

    def __init__(self, data_dir: Path, *, now: Clock = _utc_now) -> None:
        """Raises: DataDirInUse; StorageError: directory or file can't be used."""
        self._now = now
        self._listeners: list[Listener] = []
        self._data_dir = DataDirLock(data_dir)
        try:
            path = data_dir / DATABASE_NAME
            self._writer = open_writer(path)
            with sqlite_errors():
                ((self._epoch, self.cursor_key),) = fetch(self._writer, _TAKE_OVER)
        except BaseException:
            self._data_dir.release()
            raise
        self._writes = Grouping(SqliteTransaction(self._writer))
        self._readers = Readers(path)

    @contextmanager
    def read(self) -> Iterator[SqliteSnapshot]:
        with sqlite_errors(), self._readers.transaction() as connection:
            yield SqliteSnapshot(connection, self._now)

    @contextmanager
    def write(self, *, settled: bool = False) -> Iterator[SqliteUnitOfWork]:
        """Raises: Unavailable: other writes take too long, or another process has taken over."""
        # The errors become the project's before the group hears of them.
        with self._writes.unit(settled=settled) as commit, sqlite_errors():
            yield SqliteUnitOfWork(self._writer, self._epoch, self._now, commit, self._tell)

    def subscribe(self, listener: Listener) -> None:
        with self._writes.alone():
            self._listeners.append(listener)

    def close(self) -> None:
        """Waits for the writes that run; reads that run end on their own."""
        if self._writes.close():
            self._readers.close()
            self._writer.close()
            self._data_dir.release()

    def _tell(self, position: int, changes: Sequence[Change]) -> None:
        for listener in self._listeners:
            try:
                listener(position, changes)
            except Exception:
                logger.exception(
                    "Position %d is on record, but a listener has not taken it in.", position
                )
