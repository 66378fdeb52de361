"""A SQLite store that only reads, of a file that another process writes."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from core.adapters.clock import utc_now
from core.adapters.read_only import ReadOnly
from core.adapters.sqlite.database import check_format, open_reader
from core.adapters.sqlite.durability import LOCAL
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.readers import Readers
from core.adapters.sqlite.rows import fetch
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.ports.store import DurabilityState

_IDENTITY = "SELECT cursor_key, database_id FROM cluster"


class SqliteReplica(ReadOnly):
    """A `Store` without writes; it takes no lock on the data directory."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            StorageError: the file is missing, another program's, damaged, or of another format.
        """
        with sqlite_errors(), closing(open_reader(path)) as connection:
            check_format(connection)
            ((self.cursor_key, self.instance_id),) = fetch(connection, _IDENTITY)
        self._readers = Readers(path)

    @property
    def position(self) -> int:
        with self.read() as snapshot:
            return snapshot.position

    def read_durability(self) -> DurabilityState:
        return LOCAL

    @contextmanager
    def read(self) -> Iterator[SqliteSnapshot]:
        with sqlite_errors(), self._readers.transaction() as connection:
            yield SqliteSnapshot(connection, utc_now)

    def close(self) -> None:
        self._readers.close()
