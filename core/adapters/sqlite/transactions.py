"""SQLite's snapshot, unit of work, and transaction of the group commit."""

import apsw

from core.adapters.clock import Clock
from core.adapters.group_commit import CommitUnit
from core.adapters.sql.entries import to_entry
from core.adapters.sql.rows import to_time
from core.adapters.sql.tables import Tables, WritableTables
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.connections.rows import fetch
from core.adapters.sqlite.session import SqliteSession
from core.domain.errors import Unavailable
from core.domain.log_hash import GENESIS, next_hash
from core.ports.store import CommitListener

_POSITION = "SELECT position FROM cluster"
_FENCE = """
UPDATE cluster SET position = position + 1 WHERE epoch = ?
RETURNING position, (SELECT hash FROM log WHERE log.position = cluster.position - 1)
"""
_LOG = "INSERT INTO log (position, epoch, at, changes, hash) VALUES (?, ?, ?, ?, ?)"


class SqliteTransaction:
    """The writing connection's transaction, in which a group of units runs."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def is_open(self) -> bool:
        return self._connection.in_transaction

    def begin(self) -> None:
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._run("COMMIT")

    def rollback(self) -> None:
        self._run("ROLLBACK")

    def set_savepoint(self) -> None:
        self._run("SAVEPOINT unit")

    def release_savepoint(self) -> None:
        self._run("RELEASE unit")

    def undo_to_savepoint(self) -> None:
        self._run("ROLLBACK TO unit")
        self._run("RELEASE unit")

    def _run(self, sql: str) -> None:
        with sqlite_errors():
            self._connection.execute(sql)


class SqliteSnapshot(Tables):
    """A read transaction, whose first statement reads its position."""

    def __init__(self, connection: apsw.Connection, now: Clock) -> None:
        ((position,),) = fetch(connection, _POSITION)
        super().__init__(SqliteSession(connection), position, now)


class SqliteUnitOfWork(WritableTables):
    """A write, which begins with the fence; an undone write's position is undone as well."""

    def __init__(
        self,
        connection: apsw.Connection,
        epoch: int,
        now: Clock,
        commit: CommitUnit,
        on_commit: CommitListener,
    ) -> None:
        """Take the next position.

        Raises:
            Unavailable: a later epoch has begun; this process writes no more.
        """
        passed = fetch(connection, _FENCE, epoch)
        if not passed:
            raise Unavailable("Another process has taken over the writing.")
        ((position, previous_hash),) = passed
        super().__init__(SqliteSession(connection), position, now)
        self._previous_hash: bytes = previous_hash or GENESIS
        self._epoch = epoch
        self._connection = connection
        self._now = now
        self._commit = commit
        self._on_commit = on_commit

    def commit(self) -> None:
        entry = (self.position, self._epoch, to_time(self._now()), to_entry(self.changes))
        hash_ = next_hash(self._previous_hash, *entry)
        self._connection.execute(_LOG, (*entry, hash_))
        self._commit(lambda: self._on_commit(self.position, self.changes, hash_))
