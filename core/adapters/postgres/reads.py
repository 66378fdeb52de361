"""The half of a PostgreSQL store that reads."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.adapters.clock import Clock
from core.adapters.positions import note_position
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.durability import read_durability
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.readers import Readers
from core.adapters.postgres.connections.rows import fetch
from core.adapters.postgres.transactions import PostgresSnapshot
from core.ports.store import Durability, DurabilityState

_POSITION = "SELECT position FROM cluster"
_EPOCH = "SELECT epoch FROM cluster"
_HEAD = "SELECT position, hash_at(position) FROM cluster"


class PostgresReads:
    """A base of stores in a database; `durability` is that of the process that writes."""

    def __init__(self, database: Database, durability: Durability, now: Clock) -> None:
        self._now = now
        self._durability = durability
        self._readers = Readers(database)

    @property
    def position(self) -> int:
        with postgres_errors(), self._readers.connection() as connection:
            return int(fetch(connection, _POSITION)[0][0])

    @property
    def epoch(self) -> int:
        with postgres_errors(), self._readers.connection() as connection:
            return int(fetch(connection, _EPOCH)[0][0])

    @property
    def head(self) -> tuple[int, bytes]:
        with postgres_errors(), self._readers.connection() as connection:
            ((position, log_hash),) = fetch(connection, _HEAD)
            return position, log_hash

    def read_durability(self) -> DurabilityState:
        with postgres_errors(), self._readers.connection() as connection:
            return read_durability(connection, self._durability)

    @contextmanager
    def read(self) -> Iterator[PostgresSnapshot]:
        """Begin a read transaction.

        Raises:
            Unavailable: the database can't be reached, or all connections are in use.
        """
        with (
            postgres_errors(),
            self._readers.transaction() as (connection, position),
            note_position(position),
        ):
            yield PostgresSnapshot(connection, position, self._now)
