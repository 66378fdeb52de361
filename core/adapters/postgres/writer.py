"""The connection that writes, made anew where it is lost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg.pq import TransactionStatus

from core.adapters.grouping import Tell
from core.adapters.postgres.database import Database
from core.adapters.postgres.errors import postgres_errors, translated
from core.adapters.postgres.rows import Connection, fetch
from core.domain.errors import StorageError, Unavailable
from core.ports.store import Durability

_PATIENCE_S = 20.0
"""How long a write whose COMMIT was cut off waits for the database to come back."""

_PAUSE_S = 0.1

# The session whose connection was lost may still be at it; it holds this row until it has ended.
_WAIT_FOR_THE_OTHER = "SELECT FROM cluster FOR UPDATE"
_ON_RECORD = "SELECT FROM log WHERE position = %s AND epoch = %s"

_OPEN = (TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a COMMIT is to bring about."""

    position: int
    tell: Tell


class Writer:
    """The transaction of `core.adapters.grouping` on PostgreSQL.

    Where a connection is lost during COMMIT, it asks the database afterwards what became of it.
    If that can't be told in time, the write is reported as failed, and asked after again
    before the next one: listeners still hear of it, and in order.
    """

    def __init__(
        self,
        database: Database,
        durability: Durability,
        connection: Connection,
        epoch: int,
        *,
        patience_s: float = _PATIENCE_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.connection = connection
        self.epoch = epoch
        self._database = database
        self._durability = durability
        self._patience_s = patience_s
        self._pause = pause
        self._expected: list[_Expected] = []
        self._uncertain: list[_Expected] = []

    @property
    def is_open(self) -> bool:
        return self.connection.info.transaction_status in _OPEN

    def expect(self, position: int, tell: Tell) -> None:
        """Of each unit that the next COMMIT keeps."""
        self._expected.append(_Expected(position, tell))

    def begin(self) -> None:
        with postgres_errors():
            self._settle()
            self._expected.clear()
            try:
                self.connection.execute("BEGIN")
            except psycopg.OperationalError:
                self._reconnect()
                self.connection.execute("BEGIN")

    def commit(self) -> None:
        expected, self._expected = self._expected, []
        try:
            status = self.connection.execute("COMMIT").statusmessage
        except psycopg.Error as error:
            if self._has_ended(error) or not self._came_through(expected):
                raise translated(error) from error
        else:
            if status != "COMMIT":
                raise StorageError("An error has ended the transaction.")

    def rollback(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except psycopg.Error:
            self.connection.close()  # which ends the transaction as well

    def mark(self) -> None:
        self._run("SAVEPOINT unit")

    def keep(self) -> None:
        self._run("RELEASE SAVEPOINT unit")

    def undo(self) -> None:
        self._run("ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit")

    def close(self) -> None:
        self.connection.close()

    def _run(self, statement: LiteralString) -> None:
        with postgres_errors():
            self.connection.execute(statement)

    def _reconnect(self) -> None:
        self.connection.close()
        self.connection = self._database.connect(self._durability)

    def _has_ended(self, error: psycopg.Error) -> bool:
        """The server has refused the COMMIT, and is there to say so."""
        status = self.connection.info.transaction_status
        return error.sqlstate is not None and status is TransactionStatus.IDLE

    def _came_through(self, expected: list[_Expected]) -> bool:
        """Raises: Unavailable: nobody can tell."""
        deadline_s = time.monotonic() + self._patience_s
        while True:
            try:
                return self._is_on_record(expected)
            except psycopg.Error as error:
                if time.monotonic() > deadline_s:
                    self._uncertain = expected
                    raise Unavailable(
                        "The connection to the database was lost while this was committed, and it"
                        " can't be asked yet whether it was: it may be on record."
                    ) from error
            self._pause(_PAUSE_S)

    def _settle(self) -> None:
        """Asks after what could not be told then. Raises: psycopg.Error."""
        if not self._uncertain:
            return
        on_record = self._is_on_record(self._uncertain)
        uncertain, self._uncertain = self._uncertain, []
        if on_record:
            for expected in uncertain:
                expected.tell()

    def _is_on_record(self, expected: list[_Expected]) -> bool:
        """All of it or none is. Raises: psycopg.Error."""
        self._reconnect()
        with self.connection.transaction():
            self.connection.execute(_WAIT_FOR_THE_OTHER)
            last = expected[-1].position
            return bool(fetch(self.connection, _ON_RECORD, last, self.epoch))
