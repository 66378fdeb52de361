"""Read connections, from a pool that makes them anew where they are lost."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool

from core.adapters.postgres.database import Database, set_up_reader
from core.adapters.postgres.rows import Connection

MOST = 16
_WAIT_S = 5.0

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Readers:
    def __init__(self, database: Database) -> None:
        self._pool = ConnectionPool(
            database.conninfo,
            kwargs={"autocommit": True},
            configure=set_up_reader,
            min_size=1,
            max_size=MOST,
            timeout=_WAIT_S,
            name="nalanda-readers",
            open=True,
        )

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """What it sees is settled by its first statement."""
        connection = self._begun()
        try:
            yield connection
        finally:
            self._give_back(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Each statement is a transaction of its own."""
        with self._pool.connection() as connection:
            yield connection

    def close(self) -> None:
        """Closes the idle ones now, and each that is leased when it comes back."""
        self._pool.close()

    def _begun(self) -> Connection:
        """Idle connections may have been lost, as all of them are when the server restarts."""
        connection = self._pool.getconn()
        try:
            connection.execute(_BEGIN)
        except psycopg.OperationalError:
            self._pool.putconn(connection)
            self._pool.check()
            connection = self._pool.getconn()
            try:
                connection.execute(_BEGIN)
            except BaseException:
                self._pool.putconn(connection)
                raise
        except BaseException:
            self._pool.putconn(connection)
            raise
        return connection

    def _give_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except psycopg.Error:
            connection.close()
        finally:
            self._pool.putconn(connection)
