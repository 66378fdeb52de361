"""PostgreSQL's snapshot and unit of work."""

from core.adapters.clock import Clock
from core.adapters.group_commit import CommitUnit
from core.adapters.postgres.rows import Connection
from core.adapters.postgres.session import PostgresSession
from core.adapters.postgres.writer import UnitLogEntry, Writer
from core.adapters.sql.entries import to_entry
from core.adapters.sql.rows import to_time
from core.adapters.sql.tables import Tables, WritableTables
from core.ports.store import CommitListener


class PostgresSnapshot(Tables):
    """A read transaction."""

    def __init__(self, connection: Connection, position: int, now: Clock) -> None:
        super().__init__(PostgresSession(connection), position, now)


class PostgresUnitOfWork(WritableTables):
    """A write, which begins with the fence; an undone write's position is undone as well.

    The fence's row stays locked until the COMMIT, so writers of all processes take turns.
    """

    def __init__(
        self, writer: Writer, now: Clock, commit: CommitUnit, on_commit: CommitListener
    ) -> None:
        """Take the next position.

        Raises:
            Unavailable: a later epoch has begun; this process writes no more.
        """
        position = writer.pass_fence()  # first, because it may open a new connection
        super().__init__(PostgresSession(writer.connection), position, now)
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit

    def commit(self) -> None:
        entry = to_entry(self.changes)
        self._writer.log(UnitLogEntry(self.position, to_time(self._now()), entry, self._notify))
        self._commit(self._notify)

    def _notify(self) -> None:
        self._on_commit(self.position, self.changes)
