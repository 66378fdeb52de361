"""The SQLite store: group commit of writes, pooled read connections, and commit listeners."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.clock import Clock, utc_now
from core.adapters.data_dir import DataDirLock
from core.adapters.group_commit import GroupCommit
from core.adapters.listeners import Listeners
from core.adapters.positions import note_position
from core.adapters.sqlite import log, space
from core.adapters.sqlite.connections.database import open_writer
from core.adapters.sqlite.connections.durability import refusal
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.connections.rows import fetch
from core.adapters.sqlite.reads import SqliteReads
from core.adapters.sqlite.transactions import (
    SqliteTransaction,
    SqliteUnitOfWork,
)
from core.domain.errors import StorageFull
from core.ports.store import CommitListener, Durability
from core.tracing.databases import write_span

DATABASE_NAME = "nalanda.db"

_TAKE_OVER = "UPDATE cluster SET epoch = epoch + 1 RETURNING epoch, cursor_key, database_id"
_EPOCH = "SELECT epoch, cursor_key, database_id FROM cluster"


class SqliteStore(SqliteReads):
    """A `Store` in the file `DATA/nalanda.db`, in WAL mode."""

    def __init__(
        self,
        data_dir: Path,
        *,
        durability: Durability = "full",
        require_synchronous: bool = False,
        now: Clock = utc_now,
    ) -> None:
        """Lock the data directory and open the file.

        Raises:
            DataDirInUse: another process has the data directory.
            StorageError: the directory or the file can't be used.
        """
        self._require_synchronous = require_synchronous
        self._listeners = Listeners()
        self._data_dir = DataDirLock(data_dir)
        try:
            self._path = data_dir / DATABASE_NAME
            self._writer = open_writer(self._path, durability)
            self._epoch, self.cursor_key, self.instance_id = self._take_over()
        except BaseException:
            self._data_dir.release()
            raise
        self._writes = GroupCommit(SqliteTransaction(self._writer))
        super().__init__(self._path, now)

    def _take_over(self) -> tuple[int, bytes, str]:
        """Begin a new epoch; return the epoch, the cursor key and the instance id.

        A full disk, on which reads go on, keeps the old epoch: the data directory's lock alone
        excludes other writers then.
        """
        try:
            with sqlite_errors():
                rows = fetch(self._writer, _TAKE_OVER)
        except StorageFull:
            with sqlite_errors():
                rows = fetch(self._writer, _EPOCH)
        ((epoch, key, instance_id),) = rows
        return epoch, key, instance_id

    @contextmanager
    def write(self, *, after_listeners: bool = False) -> Iterator[SqliteUnitOfWork]:
        """Begin a unit of work, as `Store.write` does.

        Raises:
            Unavailable: other writes take too long, or another process has taken over.
            StorageUnavailable: the writes have to be synchronous.
        """
        if self._require_synchronous:
            raise refusal()
        # The errors are mapped before the group gets them.
        with (
            write_span("sqlite"),
            self._writes.unit(after_listeners=after_listeners) as commit,
            sqlite_errors(),
        ):
            unit = SqliteUnitOfWork(
                self._writer, self._epoch, self._now, commit, self._listeners.notify
            )
            with note_position(unit.position - 1):
                yield unit

    def subscribe(self, listener: CommitListener) -> None:
        with self._writes.exclusive_turn():
            self._listeners.add(listener)

    def trim_log(self, before: int) -> int:
        trimmed = 0
        while batch := self._trim(before):
            trimmed += batch
        return trimmed

    def _trim(self, before: int) -> int:
        with self._writes.exclusive_turn(), sqlite_errors():
            return log.trim(self._writer, before)

    def reclaim(self) -> int:
        return space.reclaim(self._path, self._now())

    def close(self) -> None:
        """Wait for running writes and close; running reads may still end."""
        if self._writes.close():
            self._readers.close()
            self._writer.close()
            self._data_dir.release()
