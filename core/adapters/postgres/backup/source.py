"""Backup source of a PostgreSQL database, which yields rows in SQLite's form."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from core.adapters.clock import Clock, utc_now
from core.adapters.postgres.backup import history
from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.offline_connection import open_offline, read_offline
from core.adapters.postgres.connections.rows import Connection, fetch
from core.adapters.sql.rows import to_datetime, to_time
from core.adapters.sqlite.backup import files
from core.ports.backups import APPENDED, VERSIONED, BackupRow, Progress, VersionedTable

_BATCH_ROWS = 1_000
_SET_LOCK_TIMEOUT = "SET lock_timeout = '60s'"

_CLUSTER = "SELECT position, database_id, keeps_history, history_from, cursor_key FROM cluster"
_COLUMNS = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = to_regclass(quote_ident(%s)) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_ENROL = """
INSERT INTO backups (repository, position, at) SELECT %s, position, %s FROM cluster
ON CONFLICT (repository) DO UPDATE SET at = excluded.at
"""
_RECORD = "UPDATE backups SET position = %s, at = %s WHERE repository = %s"

# Large tables have no index by version: through the log the cost is proportional to the changes.
_CURRENT: dict[str, LiteralString] = {
    "documents": """
WITH put AS (
    SELECT change ->> 'library_id' AS library_id, change ->> 'document_id' AS id
    FROM log, json_array_elements(changes::json) AS change
    WHERE position > %(after)s AND change ->> 'kind' = 'document_put'
)
SELECT *, NULL FROM documents
WHERE version > %(after)s AND (library_id, id) IN (SELECT library_id, id FROM put)
""",
    "chunks": """
WITH put AS (
    SELECT change ->> 'library_id' AS library_id, chunk AS id
    FROM log, json_array_elements(changes::json) AS change,
        json_array_elements_text(change -> 'chunk_ids') AS chunk
    WHERE position > %(after)s AND change ->> 'kind' = 'chunks_put'
)
SELECT *, NULL FROM chunks
WHERE version > %(after)s AND (library_id, id) IN (SELECT library_id, id FROM put)
""",
}
_CURRENT_BY_VERSION = "SELECT *, NULL FROM {} WHERE version > %(after)s"


class PostgresSource:
    """The database in one REPEATABLE READ transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        row = fetch(connection, _CLUSTER)[0]
        self.position: int = row[0]
        self.database_id: str = row[1]
        self._history_from: int | None = row[3] if row[2] else None
        self._cursor_key: bytes = row[4]
        self.schema = files.SCHEMA

    def time_of(self, position: int) -> str | None:
        rows = fetch(self._connection, "SELECT at FROM log WHERE position = %s", position)
        return to_time(to_datetime(rows[0][0])) if rows else None

    def reaches_back_to(self, position: int) -> bool:
        counted = "SELECT count(*) FROM log WHERE position > %s"
        ((entries,),) = fetch(self._connection, counted, position)
        kept = self._history_from is not None and self._history_from <= position
        return bool(kept and entries == self.position - position)

    def columns(self, table: str) -> list[str]:
        return [row[0] for row in fetch(self._connection, _COLUMNS, table)]

    def current_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        statement = sql.SQL(_CURRENT.get(table.name, _CURRENT_BY_VERSION))
        return self._rows(statement.format(sql.Identifier(table.name)), after)

    def superseded_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        statement = sql.SQL(
            "SELECT {}, until FROM {} WHERE until > %(after)s AND version > %(after)s"
        )
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns(table.name)))
        return self._rows(statement.format(columns, _history_of(table)), after)

    def ended_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        statement = sql.SQL(
            "SELECT {}, until FROM {} WHERE until > %(after)s AND version <= %(after)s"
        )
        key = sql.SQL(", ").join(map(sql.Identifier, table.key))
        return self._rows(statement.format(key, _history_of(table)), after)

    def appended_rows(self, table: str, after: int) -> Iterator[BackupRow]:
        statement = sql.SQL("SELECT * FROM {} WHERE {} > %(after)s")
        names = map(sql.Identifier, (table, APPENDED[table]))
        return self._rows(statement.format(*names), after)

    def copy_to(self, path: Path, progress: Progress) -> None:
        tables = [*(table.name for table in VERSIONED), *APPENDED]
        with files.create(path, self.position, self.database_id, self._cursor_key) as file:
            for done, table in enumerate(tables):
                progress(done, len(tables))
                statement = sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
                file.fill(table, self.columns(table), self._rows(statement, 0))
            progress(len(tables), len(tables))

    def _rows(self, statement: sql.Composable, after: int) -> Iterator[BackupRow]:
        """Yield a statement's rows from a server-side cursor, a batch at a time."""
        with self._connection.cursor(name="backup", binary=True) as cursor:
            cursor.itersize = _BATCH_ROWS
            cursor.execute(statement, {"after": after})  # type: ignore[arg-type]
            for row in cursor:
                yield tuple(map(_as_sqlite, row))


class PostgresBackupDatabase:
    """A PostgreSQL database to back up, while a server runs or not."""

    def __init__(self, url: str, *, now: Clock = utc_now) -> None:
        """Parse the URL, without a connection.

        Raises:
            StorageError: `url` is no PostgreSQL URL.
        """
        self._database = Database(url)
        self._now = now

    def enrol(self, repository: str) -> None:
        """Enrol in one transaction, so that no history is deleted between its two steps."""
        with open_offline(self._database) as connection:
            connection.execute(_SET_LOCK_TIMEOUT)
            with connection.transaction():
                history.keep(connection)
                connection.execute(_ENROL, (repository, to_time(self._now())))

    @contextmanager
    def source(self) -> Iterator[PostgresSource]:
        with read_offline(self._database) as connection:
            yield PostgresSource(connection)

    def record_backup(self, repository: str, position: int) -> None:
        with open_offline(self._database) as connection:
            connection.execute(_SET_LOCK_TIMEOUT)
            connection.execute(_RECORD, (position, to_time(self._now()), repository))
            history.trim(connection, self._now())


def _history_of(table: VersionedTable) -> sql.Identifier:
    return sql.Identifier(f"{table.name}_history")


def _as_sqlite(value: object) -> object:
    return to_time(to_datetime(value)) if isinstance(value, datetime) else value
