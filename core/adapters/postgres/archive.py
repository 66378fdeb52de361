"""The archive of finished questions in PostgreSQL, which is no part of the record."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.adapters.postgres.connections.database import Database, open_pool
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.session import PostgresReadSession
from core.adapters.sql.archive import SqlArchive

MAX_CONNECTIONS = 2


class PostgresSessions:
    """Sessions on few connections of their own; each statement is a transaction."""

    def __init__(self, database: Database) -> None:
        """Connect at the first session."""
        self._pool = open_pool(database, "nalanda-questions", connections=MAX_CONNECTIONS)

    @contextmanager
    def open(self) -> Iterator[PostgresReadSession]:
        with postgres_errors(), self._pool.connection() as connection:
            yield PostgresReadSession(connection)

    def close(self) -> None:
        self._pool.close()


def archive_of(database: Database) -> SqlArchive:
    return SqlArchive(PostgresSessions(database))
