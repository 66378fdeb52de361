"""The session on the server that writes; it can be opened again after its connection is lost."""

from collections.abc import Sequence

import psycopg
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.durability import read_durability
from core.adapters.postgres.connections.origin import Origin, log_change, read_origin
from core.adapters.postgres.connections.rows import fetch
from core.adapters.postgres.connections.statements import Statement, run_all
from core.adapters.postgres.connections.time_limit import cut
from core.adapters.sql.columns import Row
from core.domain.errors import Unavailable
from core.ports.store import Durability, DurabilityState

# The server's session of a lost connection may still run; it locks this row until it ends.
_WAIT_FOR_THE_OTHER = "SELECT FROM cluster FOR UPDATE"
_FIND_ENTRY = "SELECT FROM log WHERE position = %s AND hash = %b"

_ENDED_STATES = (TransactionStatus.IDLE, TransactionStatus.INERROR)


class WritingSession:
    """A connection for writing; `warning` is the last one that the server has sent."""

    def __init__(self, database: Database, durability: Durability) -> None:
        """Open the connection.

        Raises:
            psycopg.Error: the server can't be reached or refuses.
        """
        self._database = database
        self._durability = durability
        self.warning: str | None = None
        self._origin: Origin | None = None
        self._is_abandoned = False
        self._connect()

    @property
    def is_lost(self) -> bool:
        return self.connection.closed

    def reconnect(self) -> None:
        """Open another connection.

        Raises:
            Unavailable: the session is abandoned.
            psycopg.Error: the server can't be reached or refuses.
        """
        if self._is_abandoned:
            raise Unavailable(
                "This node no longer leads. A write whose commit had begun may be on record."
            )
        self.connection.close()
        self._connect()
        if self._origin is not None:
            before, self._origin = self._origin, read_origin(self.connection)
            log_change(before, self._origin)

    def watch_origin(self) -> None:
        """Log from now on when another connection shows that the database has failed over.

        Raises:
            psycopg.Error: the database can't be read.
        """
        self._origin = read_origin(self.connection)

    def run(self, statements: Sequence[Statement]) -> psycopg.Cursor[Row]:
        """Run statements in one round trip; return the cursor of the last one.

        Raises:
            psycopg.Error, ValueError: the first error.
        """
        return run_all(self.connection, statements)

    def undo(self, *, has_writes: bool) -> None:
        """End the transaction, if one is open; one that `has_writes` is rolled back."""
        status = self.connection.info.transaction_status
        try:
            if status is TransactionStatus.INTRANS and not has_writes:
                self.connection.commit()  # and the prepared statements stay
            else:  # psycopg forgets them, as an aborted pipeline may have prepared only some
                self.connection.rollback()
        except psycopg.Error:
            self.connection.close()  # this ends the transaction as well

    def was_refused(self, error: psycopg.Error) -> bool:
        """Return whether the server itself has refused a COMMIT that ended with the error."""
        status = self.connection.info.transaction_status
        return error.sqlstate is not None and status in _ENDED_STATES

    def has_entry(self, position: int, hash_: bytes) -> bool:
        """Return whether the log has an entry, after the session of a lost connection has ended.

        Raises:
            psycopg.Error: the database can't be reached.
        """
        self.reconnect()
        with self.connection.transaction():
            self.connection.execute(_WAIT_FOR_THE_OTHER)
            return bool(fetch(self.connection, _FIND_ENTRY, position, hash_))

    def read_durability(self) -> DurabilityState:
        return read_durability(self.connection, self._durability)

    def abandon(self) -> None:
        """Cut the connection, whichever thread waits for it, and open no other."""
        self._is_abandoned = True
        cut(self.connection)

    def close(self) -> None:
        self.connection.close()

    def _connect(self) -> None:
        self.connection = self._database.connect(self._durability)
        self.connection.add_notice_handler(self._take_notice)

    def _take_notice(self, notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self.warning = notice.message_primary
