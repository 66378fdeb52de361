"""The store: one writer under a lock, readers on connections of their own, and the listeners."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from core.adapters.data_dir import DataDirLock
from core.adapters.sqlite import history, space
from core.adapters.sqlite.database import open_writer
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.readers import Readers
from core.adapters.sqlite.rows import fetch
from core.adapters.sqlite.transactions import Clock, SqliteSnapshot, SqliteUnitOfWork
from core.domain.changes import Change
from core.domain.errors import StorageError, Unavailable
from core.ports.store import Listener

DATABASE_NAME = "nalanda.db"

_WRITER_WAIT_S = 30.0
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
        self._writing = Lock()
        self._closed = False
        self._data_dir = DataDirLock(data_dir)
        try:
            self._path = data_dir / DATABASE_NAME
            self._writer = open_writer(self._path)
            with sqlite_errors():
                ((self._epoch, self.cursor_key),) = fetch(self._writer, _TAKE_OVER)
        except BaseException:
            self._data_dir.release()
            raise
        self._readers = Readers(self._path)

    @contextmanager
    def read(self) -> Iterator[SqliteSnapshot]:
        with sqlite_errors(), self._readers.transaction() as connection:
            yield SqliteSnapshot(connection, self._now)

    @contextmanager
    def write(self) -> Iterator[SqliteUnitOfWork]:
        """Raises: Unavailable: other writes take too long, or another process has taken over."""
        with self._alone(), sqlite_errors():
            if self._closed:
                raise StorageError("The store is closed.")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteUnitOfWork(self._writer, self._epoch, self._now, self._tell)
            finally:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")

    def subscribe(self, listener: Listener) -> None:
        with self._alone():
            self._listeners.append(listener)

    def reclaim(self) -> int:
        """Bytes of deleted rows that were given back to the file system, if they are many.

        Writes go on meanwhile; call it from a thread of the background.
        """
        return space.reclaim(self._path)

    def trim(self, position: int) -> None:
        """Lets go of log entries before `position` and of history, but for what backups need."""
        history.trim(self._path, position, self._now())

    def close(self) -> None:
        """Waits for the write that runs; reads that run end on their own."""
        with self._alone():
            if self._closed:
                return
            self._closed = True
            self._readers.close()
            self._writer.close()
            self._data_dir.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=_WRITER_WAIT_S):
            raise Unavailable("Other writes take too long.")
        try:
            yield
        finally:
            self._writing.release()

    def _tell(self, position: int, changes: Sequence[Change]) -> None:
        for listener in self._listeners:
            try:
                listener(position, changes)
            except Exception:
                logger.exception(
                    "Position %d is on record, but a listener has not taken it in.", position
                )
