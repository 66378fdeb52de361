"""A PostgreSQL store that only reads, of a database that another process writes."""

from core.adapters.clock import utc_now
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.rows import fetch
from core.adapters.postgres.reads import PostgresReads
from core.adapters.read_only import ReadOnly
from core.ports.store import Durability

_IDENTITY = "SELECT cursor_key, database_id FROM cluster"


class PostgresReplica(PostgresReads, ReadOnly):
    """A `Store` without writes, which leaves the epoch of the writer as it is."""

    def __init__(self, url: str, durability: Durability) -> None:
        """Connect to the database; `durability` is that of the process that writes.

        Raises:
            StorageError: the database can't be used.
        """
        database = Database(url)
        with database.opening_errors():
            super().__init__(database, durability, utc_now)
            with self._readers.connection() as connection:
                ((self.cursor_key, self.instance_id),) = fetch(connection, _IDENTITY)

    def close(self) -> None:
        self._readers.close()
