"""A PostgreSQL store that only reads, of a database that another process writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.adapters.clock import utc_now
from core.adapters.postgres.database import Database
from core.adapters.postgres.durability import read_durability
from core.adapters.postgres.errors import postgres_errors
from core.adapters.postgres.readers import Readers
from core.adapters.postgres.rows import fetch
from core.adapters.postgres.transactions import PostgresSnapshot
from core.adapters.read_only import ReadOnly
from core.ports.store import Durability, DurabilityState

_IDENTITY = "SELECT cursor_key, database_id FROM cluster"
_POSITION = "SELECT position FROM cluster"


class PostgresReplica(ReadOnly):
    """A `Store` without writes, which leaves the epoch of the writer as it is."""

    def __init__(self, url: str, durability: Durability) -> None:
        """Connect to the database; `durability` is that of the process that writes.

        Raises:
            StorageError: the database can't be used.
        """
        self._durability = durability
        database = Database(url)
        with database.opening_errors():
            self._readers = Readers(database)
            with self._readers.connection() as connection:
                ((self.cursor_key, self.instance_id),) = fetch(connection, _IDENTITY)

    @property
    def position(self) -> int:
        with postgres_errors(), self._readers.connection() as connection:
            return int(fetch(connection, _POSITION)[0][0])

    def read_durability(self) -> DurabilityState:
        with postgres_errors(), self._readers.connection() as connection:
            return read_durability(connection, self._durability)

    @contextmanager
    def read(self) -> Iterator[PostgresSnapshot]:
        """Begin a read transaction.

        Raises:
            Unavailable: the database can't be reached, or all connections are in use.
        """
        with postgres_errors(), self._readers.transaction() as (connection, position):
            yield PostgresSnapshot(connection, position, utc_now)

    def close(self) -> None:
        self._readers.close()
