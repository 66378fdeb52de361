"""The PostgreSQL store: group commit of writes, pooled read connections, and commit listeners."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.clock import Clock, utc_now
from core.adapters.data_dir import DataDirLock
from core.adapters.group_commit import GroupCommit
from core.adapters.listeners import Listeners
from core.adapters.postgres import history, log
from core.adapters.postgres.database import Database
from core.adapters.postgres.errors import postgres_errors
from core.adapters.postgres.fence import Fence
from core.adapters.postgres.migrate import migrate
from core.adapters.postgres.reads import PostgresReads
from core.adapters.postgres.rows import fetch
from core.adapters.postgres.transactions import (
    PostgresUnitOfWork,
)
from core.adapters.postgres.writer import Writer
from core.adapters.postgres.writing_session import WritingSession
from core.ports.store import CommitListener, Durability

_TAKE_OVER = """
UPDATE cluster SET epoch = epoch + 1
RETURNING epoch, position, keeps_history, cursor_key, database_id
"""


class PostgresStore(PostgresReads):
    """A `Store` in one database, which other processes may read and take over.

    The data directory is this process's own, for the index and its checkpoints.
    """

    def __init__(
        self,
        url: str,
        data_dir: Path,
        *,
        durability: Durability = "full",
        require_synchronous: bool = False,
        now: Clock = utc_now,
    ) -> None:
        """Lock the data directory, open the database and take over the writing.

        Raises:
            DataDirInUse: another process has the data directory.
            StorageError: the directory or the database can't be used.
        """
        database = Database(url)
        self._listeners = Listeners()
        self._data_dir = DataDirLock(data_dir)
        try:
            self._writer, self.cursor_key, self.instance_id = _take_over(
                database, durability, require_synchronous=require_synchronous
            )
        except BaseException:
            self._data_dir.release()
            raise
        self._writes = GroupCommit(self._writer)
        super().__init__(database, durability, now)

    @contextmanager
    def write(self, *, settled: bool = False) -> Iterator[PostgresUnitOfWork]:
        """Begin a unit of work, as `Store.write` does.

        Raises:
            Unavailable: other writes take too long, another process has taken over, or the
                database can't be reached.
            StorageFull: the server's disk is full.
            StorageUnavailable: the write has to be synchronous, and would not be.
            StorageError: PostgreSQL reports another error.
        """
        # The errors are mapped before the group gets them.
        with self._writes.unit(settled=settled) as commit, postgres_errors():
            yield PostgresUnitOfWork(self._writer, self._now, commit, self._listeners.notify)

    def subscribe(self, listener: CommitListener) -> None:
        with self._writes.exclusive_turn():
            self._listeners.add(listener)

    def trim_log(self, before: int) -> int:
        """Trim concurrently with writers, which never touch the rows that this deletes."""
        trimmed = 0
        with postgres_errors(), self._readers.connection() as connection:
            while batch := log.trim(connection, before):
                trimmed += batch
        return trimmed

    def reclaim(self) -> int:
        """Delete history that no backup needs; return 0, because autovacuum frees the space."""
        with postgres_errors(), self._readers.connection() as connection:
            history.trim(connection, self._now())
        return 0

    def close(self) -> None:
        """Wait for running writes and close; running reads may still end."""
        if self._writes.close():
            self._readers.close()
            self._writer.close()
            self._data_dir.release()


def _take_over(
    database: Database, durability: Durability, *, require_synchronous: bool
) -> tuple[Writer, bytes, str]:
    """Begin a new epoch, which fences off the writes of all other processes.

    Returns:
        The writer, the cursor key and the instance id.

    Raises:
        StorageError: the database can't be used.
    """
    with database.opening_errors():
        session = WritingSession(database, durability)
        try:
            migrate(session.connection)
            ((*seen, cursor_key, instance_id),) = fetch(session.connection, _TAKE_OVER)
        except BaseException:
            session.close()
            raise
    writer = Writer(session, Fence(*seen), require_synchronous=require_synchronous)
    return writer, cursor_key, instance_id
