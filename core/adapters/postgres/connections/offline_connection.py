"""Connections for commands, which may run while a server does."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import IsolationLevel

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.migrate import MIGRATIONS
from core.adapters.postgres.connections.rows import Connection, fetch
from core.domain.errors import StorageError


@contextmanager
def open_offline(database: Database) -> Iterator[Connection]:
    """Open a connection to a database of this program's format.

    Raises:
        Unavailable: the database can't be reached for now.
        StorageError: the database is not Nalanda's, or of another format.
    """
    with (
        postgres_errors(),
        closing(psycopg.connect(database.conninfo, autocommit=True)) as connection,
    ):
        database.set_up_reader(connection)
        _check_format(connection, database.address)
        yield connection


@contextmanager
def read_offline(database: Database) -> Iterator[Connection]:
    """Open a read-only transaction, whose first statement takes its snapshot.

    Raises:
        Unavailable: the database can't be reached for now.
        StorageError: the database is not Nalanda's, or of another format.
    """
    with open_offline(database) as connection:
        connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        connection.set_read_only(True)
        with connection.transaction():
            yield connection


def _check_format(connection: Connection, address: str) -> None:
    if fetch(connection, "SELECT to_regclass('nalanda_format') IS NULL")[0][0]:
        raise StorageError(f"There is no database of Nalanda's at {address}.")
    ((number,),) = fetch(connection, "SELECT max(number) FROM nalanda_format")
    if number != len(MIGRATIONS):
        raise StorageError(
            f"{address} has format {number}, and this program's is {len(MIGRATIONS)}:"
            " start the server of this release once."
        )
