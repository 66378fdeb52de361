"""A read transaction and a unit of work, as the ports know them."""

from core.adapters.clock import Clock
from core.adapters.group_commit import CommitUnit
from core.adapters.postgres.rows import Connection
from core.adapters.postgres.session import PostgresSession
from core.adapters.postgres.writer import Logged, Writer
from core.adapters.rows import to_time
from core.adapters.tables.all import Tables, WritableTables
from core.adapters.tables.entries import to_entry
from core.ports.store import CommitListener


class PostgresSnapshot(Tables):
    """One read transaction."""

    def __init__(self, connection: Connection, position: int, now: Clock) -> None:
        super().__init__(PostgresSession(connection), position, now)


class PostgresUnitOfWork(WritableTables):
    """One write, which begins with the fence; where it is undone, so is its position.

    The fence's row stays locked until the COMMIT: writers of all processes take turns at it.
    """

    def __init__(
        self, writer: Writer, now: Clock, commit: CommitUnit, on_commit: CommitListener
    ) -> None:
        """Raises: Unavailable: a later epoch has begun; this process writes no more."""
        position = writer.pass_fence()  # first: it may have to connect anew
        super().__init__(PostgresSession(writer.connection), position, now)
        self._writer = writer
        self._now = now
        self._commit = commit
        self._on_commit = on_commit

    def commit(self) -> None:
        entry = to_entry(self.changes)
        self._writer.log(Logged(self.position, to_time(self._now()), entry, self._tell))
        self._commit(self._tell)

    def _tell(self) -> None:
        self._on_commit(self.position, self.changes)
