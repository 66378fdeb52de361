"""A read transaction and a unit of work, as the ports know them, and what groups of units need."""

from collections.abc import Callable, Sequence
from datetime import datetime

import apsw

from core.adapters.grouping import Commit
from core.adapters.rows import to_time
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.rows import fetch
from core.adapters.sqlite.session import SqliteSession
from core.adapters.tables.chunks import Chunks, WritableChunks
from core.adapters.tables.documents import Documents, WritableDocuments
from core.adapters.tables.entries import to_entry
from core.adapters.tables.feedback import FeedbackOfQuestions, WritableFeedback
from core.adapters.tables.libraries import Libraries, WritableLibraries
from core.adapters.tables.log import Log
from core.adapters.tables.replays import Replays, WritableReplays
from core.domain.changes import Change
from core.domain.errors import Unavailable

_POSITION = "SELECT position FROM cluster"
_FENCE = "UPDATE cluster SET position = position + 1 WHERE epoch = ? RETURNING position"
_LOG = "INSERT INTO log (position, at, changes) VALUES (?, ?, ?)"

Clock = Callable[[], datetime]
OnCommit = Callable[[int, Sequence[Change]], None]


class SqliteTransaction:
    """The writer's, in which a group of units runs."""

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

    def mark(self) -> None:
        self._run("SAVEPOINT unit")

    def keep(self) -> None:
        self._run("RELEASE unit")

    def undo(self) -> None:
        self._run("ROLLBACK TO unit")
        self._run("RELEASE unit")

    def _run(self, sql: str) -> None:
        with sqlite_errors():
            self._connection.execute(sql)


class SqliteSnapshot:
    """One read transaction, which begins with the reading of its position."""

    def __init__(self, connection: apsw.Connection, now: Clock) -> None:
        self.position: int = fetch(connection, _POSITION)[0][0]
        session = SqliteSession(connection)
        self.libraries = Libraries(session)
        self.documents = Documents(session)
        self.chunks = Chunks(session)
        self.feedback = FeedbackOfQuestions(session)
        self.replays = Replays(session, now)
        self.log = Log(session)


class SqliteUnitOfWork:
    """One write, which begins with the fence; where it is undone, so is its position."""

    def __init__(
        self,
        connection: apsw.Connection,
        epoch: int,
        now: Clock,
        commit: Commit,
        on_commit: OnCommit,
    ) -> None:
        """Raises: Unavailable: a later epoch has begun; this process writes no more."""
        passed = fetch(connection, _FENCE, epoch)
        if not passed:
            raise Unavailable("Another process has taken over the writing.")
        self.position: int = passed[0][0]
        self._connection = connection
        self._now = now
        self._commit = commit
        self._on_commit = on_commit
        self._changes: list[Change] = []
        session = SqliteSession(connection)
        self.libraries = WritableLibraries(session, self._changes)
        self.chunks = WritableChunks(session, self._changes)
        self.documents = WritableDocuments(session, self._changes, self.chunks)
        self.feedback = WritableFeedback(session, self._changes, self.position)
        self.replays = WritableReplays(session, now, self.position)

    def commit(self) -> None:
        entry = (self.position, to_time(self._now()), to_entry(self._changes))
        self._connection.execute(_LOG, entry)
        self._commit(lambda: self._on_commit(self.position, self._changes))
