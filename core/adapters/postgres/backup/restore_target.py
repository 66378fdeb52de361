"""Fills an empty database with the rows of a SQLite file, in one transaction."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw
import psycopg
from psycopg import sql

from core import crash_points
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.errors import postgres_errors, reason_of
from core.adapters.postgres.connections.migrate import check_server, format_of, migrate
from core.adapters.postgres.connections.rows import Connection, fetch
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.domain.errors import StorageError
from core.ports.backups import APPENDED, VERSIONED, Progress

_TABLES = [*(table.name for table in VERSIONED), *APPENDED]
"""Parents before children."""

_ROWS_PER_REPORT = 1_000

_COLUMNS = """
SELECT attname::text, atttypid::integer FROM pg_attribute
WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_POSITION = "SELECT position FROM cluster FOR UPDATE"  # waits for a write that runs
_ORIGIN = "SELECT position, database_id, cursor_key FROM cluster"
# The new epoch fences off a server that has the empty database open, and follows those of the log.
_NEW_ORIGIN = """
UPDATE cluster SET position = %s, database_id = %s, cursor_key = %s,
    epoch = greatest(epoch, (SELECT max(log.epoch) FROM log)) + 1,
    keeps_history = false, history_from = %s
"""
_NEXT_FEEDBACK = "ALTER TABLE feedback ALTER COLUMN number RESTART WITH {}"


class PostgresRestoreTarget:
    """A database without Nalanda's tables, or with empty ones."""

    def __init__(self, url: str) -> None:
        """Parse the URL, without a connection.

        Raises:
            StorageError: `url` is no PostgreSQL URL.
        """
        self._database = Database(url)
        self.address = self._database.address

    def check_empty(self) -> None:
        """Check that the database is empty, as `RestoreTarget.check_empty` does; change nothing."""
        with postgres_errors(), closing(self._connect()) as connection:
            with self._database.opening_errors():
                check_server(connection)
                is_new = format_of(connection) is None
            if not is_new:
                self._check_nothing_in(connection)

    def fill(self, path: Path, progress: Progress) -> None:
        """Copy all rows under the migrations' lock, which a starting server takes as well."""
        with (
            postgres_errors(),
            closing(self._connect()) as connection,
            sqlite_errors(),
            closing(apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)) as file,
        ):
            with connection.transaction():
                with self._database.opening_errors():
                    migrate(connection)
                connection.execute("SET LOCAL statement_timeout = 0")
                self._check_nothing_in(connection)
                _TableCopy(file, connection, progress).run()
                crash_points.reach("restore.before_commit")
            crash_points.reach("restore.after_commit")

    def _connect(self) -> Connection:
        try:
            return self._database.connect("full")
        except psycopg.Error as error:
            raise StorageError(
                f"{self.address} can't be opened ({reason_of(error)}):"
                " check NALANDA_DATABASE_URL, and that the server runs."
            ) from error

    def _check_nothing_in(self, connection: Connection) -> None:
        ((position,),) = fetch(connection, _POSITION)
        if position:
            raise StorageError(f"{self.address} is not empty; a restore needs an empty database.")


class _TableCopy:
    """The copy of a file's rows into an open transaction."""

    def __init__(self, file: apsw.Connection, connection: Connection, progress: Progress) -> None:
        self._file = file
        self._connection = connection
        self._progress = progress
        self._counts = {table: self._count(table) for table in _TABLES}
        self._done = 0

    def run(self) -> None:
        """Copy all tables.

        Raises:
            StorageError: the server has not taken all rows.
            apsw.Error, psycopg.Error: the file or the server fails.
        """
        for table, count in self._counts.items():
            if self._copy(table) != count:
                raise StorageError(f"PostgreSQL has not taken all rows of {table}.")
        position, *others = self._file.execute(_ORIGIN).fetchall()[0]
        self._connection.execute("DELETE FROM backups")
        self._connection.execute(_NEW_ORIGIN, (position, *others, position))
        last = self._file.execute("SELECT coalesce(max(number), 0) FROM feedback").fetchall()[0][0]
        restarted = sql.SQL(_NEXT_FEEDBACK).format(sql.Literal(int(str(last)) + 1))
        self._connection.execute(restarted)

    def _count(self, table: str) -> int:
        counted = self._file.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  # our own
        return int(str(counted.fetchall()[0][0]))

    def _copy(self, table: str) -> int:
        """Copy a table; return the number of rows that the server has taken."""
        columns = fetch(self._connection, _COLUMNS, table)
        names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
        copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)")
        with self._connection.cursor() as cursor:
            with cursor.copy(copy.format(sql.Identifier(table), names)) as copying:
                copying.set_types([type_ for _, type_ in columns])
                for row in self._rows(table, columns):
                    copying.write_row(row)
            return cursor.rowcount

    def _rows(self, table: str, columns: list[tuple[str, int]]) -> Iterator[list[object]]:
        timestamp = psycopg.adapters.types["timestamptz"].oid
        times = [place for place, (_, type_) in enumerate(columns) if type_ == timestamp]
        names = ", ".join(f'"{name}"' for name, _ in columns)
        for row in self._file.execute(f"SELECT {names} FROM {table}"):  # noqa: S608  # our own
            values: list[object] = list(row)
            for place in times:
                values[place] = datetime.fromisoformat(str(values[place]))
            yield values
            self._report()

    def _report(self) -> None:
        self._done += 1
        total = sum(self._counts.values())
        if self._done % _ROWS_PER_REPORT == 0 or self._done == total:
            self._progress(self._done, total)
