"""The writing connection, which reconnects after a loss."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg.pq import TransactionStatus

from core.adapters.group_commit import AfterCommit
from core.adapters.postgres.database import Database
from core.adapters.postgres.errors import nalanda_error, postgres_errors
from core.adapters.postgres.rows import Connection, columns_of, fetch, fetch_last
from core.domain.errors import StorageError, Unavailable
from core.ports.store import Durability

_OUTCOME_TIMEOUT_S = 20.0
"""The time that a write with an interrupted COMMIT waits for the database to come back."""

_PAUSE_S = 0.1

# The server's session of a lost connection may still run; it locks this row until it ends.
_WAIT_FOR_THE_OTHER = "SELECT FROM cluster FOR UPDATE"
_FENCE = b"UPDATE cluster SET position = position + 1 WHERE epoch = %s RETURNING position"
_COMMIT = b"""
INSERT INTO log (position, epoch, at, changes)
SELECT position, %s, at, changes
FROM unnest(%s::bigint[], %s::timestamptz[], %s::text[]) AS entries (position, at, changes);
COMMIT
"""
_FIND_ENTRY = "SELECT FROM log WHERE position = %s AND epoch = %s"

_BEGIN = b"BEGIN"
_UNDO = b"ROLLBACK TO SAVEPOINT %(mark)b; RELEASE SAVEPOINT %(mark)b"

_ENDED_STATES = (TransactionStatus.IDLE, TransactionStatus.INERROR)
_OPEN_STATES = (TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


@dataclass(frozen=True, slots=True)
class UnitLogEntry:
    """A unit's entry in the log (`at` in RFC 3339, `changes` in JSON) and its last step."""

    position: int
    at: str
    changes: str
    after_commit: AfterCommit


class Writer:
    """The transaction of `core.adapters.group_commit` on PostgreSQL.

    Statements without a result are sent with the next one that has a result, or with the COMMIT.
    Each round trip costs as much as a small statement, and the next writer waits for it.

    After a connection is lost during COMMIT, the writer looks in the log for the transaction's
    outcome. If the outcome stays unknown for `outcome_timeout_s`, the write fails. The writer looks
    again before the next write, and then notifies listeners, still in order.
    """

    def __init__(
        self,
        database: Database,
        durability: Durability,
        connection: Connection,
        epoch: int,
        *,
        outcome_timeout_s: float = _OUTCOME_TIMEOUT_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.epoch = epoch
        self._database = database
        self._durability = durability
        self._outcome_timeout_s = outcome_timeout_s
        self._pause = pause
        self._waiting: list[bytes] = []
        self._marks = 0
        self._logged: list[UnitLogEntry] = []
        self._uncertain: list[UnitLogEntry] = []

    @property
    def is_open(self) -> bool:
        return self.connection.info.transaction_status in _OPEN_STATES

    def pass_fence(self) -> int:
        """Take and return the unit's position.

        Raises:
            Unavailable: a later epoch has begun.
            psycopg.Error: the statement failed.
        """
        begins = self._waiting == [_BEGIN]
        statements, self._waiting = b"; ".join([*self._waiting, _FENCE]), []
        try:
            passed = fetch_last(self.connection, statements, self.epoch)
        except psycopg.OperationalError as error:
            if not (begins and _is_lost(error)):
                raise
            self._reconnect()  # the transaction had not begun on the lost connection
            passed = fetch_last(self.connection, statements, self.epoch)
        if not passed:
            raise Unavailable("Another process has taken over the writing.")
        return int(passed[0][0])

    def log(self, logged: UnitLogEntry) -> None:
        """Add a unit's log entry to the next COMMIT; the unit's last step.

        Raises:
            StorageError: an error has ended the transaction.
        """
        if self.connection.info.transaction_status is TransactionStatus.INERROR:
            raise StorageError("An error has ended the transaction.")
        self._logged.append(logged)

    def begin(self) -> None:
        with postgres_errors():
            self._settle()
        self._logged, self._waiting, self._marks = [], [_BEGIN], 0

    def commit(self) -> None:
        logged, self._logged, self._waiting = self._logged, [], []
        entries = [(x.position, x.at, x.changes) for x in logged]
        try:
            fetch_last(self.connection, _COMMIT, self.epoch, *columns_of(entries))
        except psycopg.Error as error:
            if self._was_refused(error) or not self._wait_for_outcome(logged):
                raise nalanda_error(error) from error

    def rollback(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except psycopg.Error:
            self.connection.close()  # this ends the transaction as well

    def set_savepoint(self) -> None:
        self._marks += 1  # unique names, so that an undo never reaches an older savepoint
        self._waiting.append(b"SAVEPOINT unit%d" % self._marks)

    def release_savepoint(self) -> None:
        self._waiting.append(b"RELEASE SAVEPOINT unit%d" % self._marks)

    def undo_to_savepoint(self) -> None:
        self._waiting = []
        with postgres_errors():
            fetch_last(self.connection, _UNDO % {b"mark": b"unit%d" % self._marks})

    def close(self) -> None:
        self.connection.close()

    def _reconnect(self) -> None:
        self.connection.close()
        self.connection = self._database.connect(self._durability)

    def _was_refused(self, error: psycopg.Error) -> bool:
        """Return whether the server itself has refused the COMMIT."""
        status = self.connection.info.transaction_status
        return error.sqlstate is not None and status in _ENDED_STATES

    def _wait_for_outcome(self, logged: list[UnitLogEntry]) -> bool:
        """Return whether the COMMIT whose connection was lost has succeeded.

        Raises:
            Unavailable: the database does not come back in time.
        """
        deadline_s = time.monotonic() + self._outcome_timeout_s
        while True:
            try:
                return self._is_on_record(logged)
            except psycopg.Error as error:
                if time.monotonic() > deadline_s:
                    self._uncertain = logged
                    raise Unavailable(
                        "The connection to the database was lost during the commit, and the outcome"
                        " is not known yet: the write may be on record."
                    ) from error
            self._pause(_PAUSE_S)

    def _settle(self) -> None:
        """Find the outcome of the last uncertain COMMIT, and notify listeners if it succeeded.

        Raises:
            psycopg.Error: the database can't be reached.
        """
        if not self._uncertain:
            return
        on_record = self._is_on_record(self._uncertain)
        uncertain, self._uncertain = self._uncertain, []
        if on_record:
            for logged in uncertain:
                logged.after_commit()

    def _is_on_record(self, logged: list[UnitLogEntry]) -> bool:
        """Return whether a group's units are on record; all of them are, or none.

        Raises:
            psycopg.Error: the database can't be reached.
        """
        self._reconnect()
        with self.connection.transaction():
            self.connection.execute(_WAIT_FOR_THE_OTHER)
            last = logged[-1].position
            return bool(fetch(self.connection, _FIND_ENTRY, last, self.epoch))


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection is lost: cut by the network, or ended by the server."""
    return error.sqlstate is None or error.sqlstate.startswith("57P")
