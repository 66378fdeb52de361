"""PostgreSQL's snapshot and unit of work."""

from core.adapters.clock import Clock
from core.adapters.group_commit import CommitUnit
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.session import PostgresReadSession, PostgresSession
from core.adapters.postgres.writing.writer import Writer
from core.adapters.sql.entries import to_entry
from core.adapters.sql.rows import to_time
from core.adapters.sql.tables import Tables, WritableTables
from core.ports.store import CommitListener


class PostgresSnapshot(Tables):
    """A read transaction."""

    def __init__(self, connection: Connection, position: int, now: Clock) -> None:
        super().__init__(PostgresReadSession(connection), position, now)


class PostgresUnitOfWork(WritableTables):
    """A write of the writer's current unit.

    The fence's row is locked from the group's first statement to its COMMIT, so writers of all
    processes take turns.
    """

    def __init__(
        self, writer: Writer, now: Clock, commit: CommitUnit, on_commit: CommitListener
    ) -> None:
        self._write_set = writer.write_set
        super().__init__(PostgresSession(writer), self._write_set.position, now)
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit

    def commit(self) -> None:
        """Commit; a unit that fails leaves an empty position where later ones share its commit.

        Raises:
            NalandaError: the server has refused the unit's writes.
            Unavailable: the writes are on record, and no standby has confirmed them.
        """
        self._writer.join(to_time(self._now()), to_entry(self.changes), self._notify)
        self._commit(self._notify)
        if error := self._write_set.error or self._write_set.doubt:
            raise error

    def _notify(self) -> None:
        failed = self._write_set.error is not None
        changes = [] if failed else self.changes
        self._on_commit(self.position, changes, self._write_set.hash)
