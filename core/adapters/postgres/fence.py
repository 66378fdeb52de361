"""The fence, which keeps the writes of processes apart."""

from dataclasses import dataclass

from core.adapters.postgres.rows import Connection, fetch
from core.adapters.postgres.statements import Statement
from core.domain.errors import StorageUnavailable, Unavailable

_PASS = b"SELECT pass_fence(%s, %s, %s)"
_LOOK = "SELECT epoch, position, keeps_history FROM cluster"


@dataclass(slots=True)
class Fence:
    """The row of `cluster` as a writer knows it, which each of its transactions checks.

    `position` is that of its last write that is on record.
    """

    epoch: int
    position: int
    keeps_history: bool

    @property
    def statement(self) -> Statement:
        """Return the statement that locks the row, and fails if it is not as known."""
        return Statement(_PASS, (self.epoch, self.position, self.keeps_history))

    def look_again(self, connection: Connection) -> None:
        """Learn after a refusal whether history is kept.

        Raises:
            Unavailable: a later epoch has begun.
            StorageUnavailable: the record is not at the position at which this process left it.
            psycopg.Error: the database can't be read.
        """
        ((epoch, position, keeps_history),) = fetch(connection, _LOOK)
        if epoch != self.epoch:
            raise Unavailable("Another process has taken over the writing.")
        if position != self.position:
            raise StorageUnavailable(
                f"The database is at position {position}, and this server has written up to"
                f" {self.position}: the database has lost writes, or another program writes to it."
                " Restart the server, which then serves what the database has."
            )
        self.keeps_history = keeps_history
