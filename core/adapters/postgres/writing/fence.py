"""The fence, which keeps the writes of processes apart."""

from dataclasses import dataclass

from core.adapters.postgres.connections.rows import Connection, fetch
from core.adapters.postgres.connections.statements import Statement
from core.domain.errors import StorageUnavailable, Unavailable

_PASS = b"SELECT pass_fence(%s, %s, %b, %s)"
_LOOK = "SELECT epoch, position, keeps_history, hash_at(position) FROM cluster"
_RESTART = "Restart the server, which then serves what the database has."


@dataclass(slots=True)
class Fence:
    """The row of `cluster` as a writer knows it, which each of its transactions checks.

    `position` is that of its last write that is on record, and `log_hash` the log's hash there.
    """

    epoch: int
    position: int
    keeps_history: bool
    log_hash: bytes

    @classmethod
    def read(cls, connection: Connection, epoch: int) -> "Fence":
        """Read the row in an epoch that this process has begun.

        Raises:
            Unavailable: a later epoch has begun.
            psycopg.Error: the database can't be read.
        """
        fence = cls(*fetch(connection, _LOOK)[0])
        if fence.epoch != epoch:
            raise Unavailable("Another process has taken over the writing.")
        return fence

    @property
    def statement(self) -> Statement:
        """Return the statement that locks the row, and fails if it is not as known."""
        return Statement(_PASS, (self.epoch, self.position, self.log_hash, self.keeps_history))

    def advance(self, position: int, log_hash: bytes) -> None:
        """Move to the last write that is on record."""
        self.position, self.log_hash = position, log_hash

    def look_again(self, connection: Connection) -> None:
        """Learn after a refusal whether history is kept.

        Raises:
            Unavailable: a later epoch has begun.
            StorageUnavailable: the record is not at the position at which this process left it.
            psycopg.Error: the database can't be read.
        """
        record = Fence.read(connection, self.epoch)
        if record.position != self.position:
            raise StorageUnavailable(
                f"The database is at position {record.position}, and this server has written up to"
                f" {self.position}: the database has lost writes, or another program writes to it."
                f" {_RESTART}"
            )
        if record.log_hash != self.log_hash:
            raise StorageUnavailable(
                f"The database has other writes up to position {self.position} than this server:"
                f" it was set back, and written by another server. {_RESTART}"
            )
        self.keeps_history = record.keeps_history
