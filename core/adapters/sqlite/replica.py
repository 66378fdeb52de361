"""A SQLite store that only reads, of a file that another process writes."""

from contextlib import closing
from pathlib import Path

from core.adapters.clock import utc_now
from core.adapters.read_only import ReadOnly
from core.adapters.sqlite.connections.database import check_format, open_reader
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.connections.rows import fetch
from core.adapters.sqlite.reads import SqliteReads

_IDENTITY = "SELECT cursor_key, database_id FROM cluster"


class SqliteReplica(SqliteReads, ReadOnly):
    """A `Store` without writes; it takes no lock on the data directory."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            StorageError: the file is missing, another program's, damaged, or of another format.
        """
        with sqlite_errors(), closing(open_reader(path)) as connection:
            check_format(connection)
            ((self.cursor_key, self.instance_id),) = fetch(connection, _IDENTITY)
        super().__init__(path, utc_now)

    def close(self) -> None:
        self._readers.close()
