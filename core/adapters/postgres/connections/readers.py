"""A pool of read connections, which replaces lost ones."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.rows import Connection, fetch_last

MAX_CONNECTIONS = 16
_WAIT_S = 5.0

# It would warn of each failed attempt to connect; the caller reports an outage once.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

_BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT position FROM cluster"


class Readers:
    def __init__(self, database: Database) -> None:
        self._pool = ConnectionPool(
            lambda: database.conninfo,
            kwargs={"autocommit": True},
            configure=database.set_up_reader,
            min_size=1,
            max_size=MAX_CONNECTIONS,
            timeout=_WAIT_S,
            name="nalanda-readers",
            open=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, int]]:
        """Begin a read transaction and yield its position, whose read takes the snapshot."""
        connection, position = self._begin()
        try:
            yield connection, position
        finally:
            self._give_back(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lease a connection on which each statement is a transaction of its own."""
        with self._pool.connection() as connection:
            yield connection

    def close(self) -> None:
        """Close the idle connections now, and each leased one on its return."""
        self._pool.close()

    def _begin(self) -> tuple[Connection, int]:
        """Begin on an idle connection; if it is lost, replace all and try once more.

        The others are not checked: where the server has gone silently, each would wait for it.
        """
        try:
            return self._begin_on(self._pool.getconn())
        except psycopg.OperationalError:
            self._pool.drain()
            return self._begin_on(self._pool.getconn())

    def _begin_on(self, connection: Connection) -> tuple[Connection, int]:
        try:
            ((position,),) = fetch_last(connection, _BEGIN)
        except BaseException:
            self._give_back(connection)
            raise
        return connection, position

    def _give_back(self, connection: Connection) -> None:
        try:
            connection.commit()  # after a ROLLBACK psycopg forgets its prepared statements
        except psycopg.Error:
            connection.close()
        finally:
            self._pool.putconn(connection)
