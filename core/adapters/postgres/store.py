"""The PostgreSQL store: group commit of writes, pooled read connections, and commit listeners."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import copy
from pathlib import Path

from core.adapters.clock import Clock, utc_now
from core.adapters.data_dir import DataDirLock
from core.adapters.group_commit import CLOSED, GroupCommit
from core.adapters.listeners import Listeners
from core.adapters.positions import note_position
from core.adapters.postgres import log
from core.adapters.postgres.backup import history
from core.adapters.postgres.connections.commit_hints import CommitHints
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.migrate import migrate
from core.adapters.postgres.connections.rows import fetch
from core.adapters.postgres.reads import PostgresReads
from core.adapters.postgres.transactions import PostgresUnitOfWork
from core.adapters.postgres.writing.fence import Fence
from core.adapters.postgres.writing.writer import Writer
from core.adapters.postgres.writing.writing_session import WritingSession
from core.domain.errors import NalandaError, NotLeading
from core.ports.cluster import Term
from core.ports.store import CommitListener, Durability
from core.tracing.databases import write_span

_TAKE_OVER = "UPDATE cluster SET epoch = epoch + 1 RETURNING epoch"
_FOLLOWING = NotLeading("This node follows the leader, which alone writes.")
_IDENTITY = "SELECT cursor_key, database_id FROM cluster"


class PostgresStore(PostgresReads):
    """A `FollowingStore` in one database, of which one process at a time is the writer.

    The data directory is this process's own, for the index and its checkpoints.
    """

    cursor_key: bytes
    instance_id: str
    # Those of the last epoch that this process has begun.
    _writer: Writer
    _writes: GroupCommit

    def __init__(
        self,
        database: str | Database,
        data_dir: Path,
        *,
        durability: Durability = "full",
        require_synchronous: bool = False,
        follows: bool = False,
        now: Clock = utc_now,
    ) -> None:
        """Lock the data directory and open the database; take over the writing unless it `follows`.

        `database`: its URL, or one whose connections others open as well.

        Raises:
            DataDirInUse: another process has the data directory.
            StorageError: the directory or the database can't be used.
        """
        self._database = Database(database) if isinstance(database, str) else database
        self._require_synchronous = require_synchronous
        self._durability = durability
        self._listeners = Listeners()
        self._hints: CommitHints | None = None
        self._role = threading.Lock()
        self.writes = False
        self._refusal: NalandaError = _FOLLOWING
        self._data_dir = DataDirLock(data_dir)
        try:
            with self._database.opening_errors(), self._database.connect(durability) as connection:
                migrate(connection)
                ((self.cursor_key, self.instance_id),) = fetch(connection, _IDENTITY)
            self._database.instance_id = self.instance_id
            if not follows:
                self.take_over()
        except BaseException:
            self._data_dir.release()
            raise
        super().__init__(self._database, durability, now)

    @property
    def written(self) -> int:
        return self._writer.position if self.writes else 0

    def watch(self, wake: Callable[[], None]) -> None:
        self._hints = CommitHints(self._database, wake, is_idle=lambda: self.writes)
        self._hints.start()

    def take_over(self, term: Term | None = None) -> None:
        with self._role:
            if not self.writes:
                self._writer = _take_over(
                    self._database,
                    self._durability,
                    term,
                    require_synchronous=self._require_synchronous,
                )
                self._writes = GroupCommit(self._writer)
                self.writes = True

    def step_down(self, *, at_once: bool = False) -> None:
        self._end_writes(_FOLLOWING, at_once=at_once)

    def _end_writes(self, refusal: NalandaError, *, at_once: bool = False) -> None:
        with self._role:
            self._refusal = refusal
            if self.writes:
                self.writes = False
                if at_once:
                    self._writer.abandon()
                try:
                    self._writes.close(refusal)
                finally:
                    self._writer.close()

    @contextmanager
    def write(self, *, after_listeners: bool = False) -> Iterator[PostgresUnitOfWork]:
        """Begin a unit of work, as `Store.write` does.

        Raises:
            NotLeading: this process follows.
            Unavailable: other writes take too long, another process has taken over, or the database
                can't be reached.
            StorageFull: the server's disk is full.
            StorageUnavailable: the write has to be synchronous, and would not be.
            StorageError: PostgreSQL reports another error.
        """
        if not self.writes:
            raise copy(self._refusal)
        writer = self._writer
        # The errors are mapped before the group gets them.
        with (
            write_span("postgresql"),
            self._writes.unit(after_listeners=after_listeners) as commit,
            postgres_errors(),
        ):
            unit = PostgresUnitOfWork(writer, self._now, commit, self._listeners.notify)
            with note_position(unit.position - 1):
                yield unit

    def subscribe(self, listener: CommitListener) -> None:
        with self._writes.exclusive_turn() if self.writes else nullcontext():
            self._listeners.add(listener)

    def trim_log(self, before: int) -> int:
        """Trim concurrently with writers, which never touch the rows that this deletes."""
        trimmed = 0
        if self.writes:
            with postgres_errors(), self._readers.connection() as connection:
                while batch := log.trim(connection, before):
                    trimmed += batch
        return trimmed

    def reclaim(self) -> int:
        """Delete history that no backup needs; return 0, because autovacuum frees the space."""
        if self.writes:
            with postgres_errors(), self._readers.connection() as connection:
                history.trim(connection, self._now())
        return 0

    def close(self) -> None:
        """Wait for running writes and close; running reads may still end."""
        if self._refusal is not CLOSED:
            self._end_writes(CLOSED)
            if self._hints is not None:
                self._hints.close()
            self._readers.close()
            self._data_dir.release()


def _take_over(
    database: Database, durability: Durability, term: Term | None, *, require_synchronous: bool
) -> Writer:
    """Return a writer in the epoch of a term, or in a new one.

    Raises:
        StorageError: the database can't be used.
    """
    with database.opening_errors():
        session = WritingSession(database, durability)
        try:
            # In one transaction, so that no other process begins an epoch in between.
            with session.connection.transaction():
                if term is None:
                    ((epoch,),) = fetch(session.connection, _TAKE_OVER)
                else:
                    epoch = term.epoch
                fence = Fence.read(session.connection, epoch)
            session.watch_origin()
        except BaseException:
            session.close()
            raise
    return Writer(session, fence, require_synchronous=require_synchronous)
