"""Creates a SQLite file with Nalanda's tables from rows of another database."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import apsw

from core.adapters.sqlite.connections.database import MIGRATIONS, open_writer
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.ports.backups import BackupRow

SCHEMA = len(MIGRATIONS)

_BATCH_ROWS = 1_000
_ORIGIN = "UPDATE cluster SET position = ?, database_id = ?, cursor_key = ?"


class NewFile:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[BackupRow]) -> None:
        """Insert rows; columns that the file's table does not have are skipped."""
        known = {
            row[0]
            for row in self._connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        }
        places = [place for place, column in enumerate(columns) if column in known]
        names = ", ".join(f'"{columns[place]}"' for place in places)
        marks = ", ".join("?" * len(places))
        insert = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608  # our own names
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH_ROWS)):
            self._connection.executemany(
                insert, ([row[place] for place in places] for row in batch)
            )


@contextmanager
def create(path: Path, position: int, database_id: str, cursor_key: bytes) -> Iterator[NewFile]:
    """Create a file in one transaction, without a WAL and without an fsync.

    The caller fills parents before children, and syncs the file if that is needed.
    """
    with closing(open_writer(path)) as connection, sqlite_errors():
        connection.pragma("synchronous", "off")
        with connection:
            connection.execute(_ORIGIN, (position, database_id, cursor_key))
            yield NewFile(connection)
        connection.pragma("journal_mode", "delete")
