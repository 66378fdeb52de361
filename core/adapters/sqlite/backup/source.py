"""Backup source of a SQLite file; it needs no lock on the data directory."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from core.adapters.clock import Clock, utc_now
from core.adapters.sql.rows import to_time
from core.adapters.sqlite.backup.history import trim_history
from core.adapters.sqlite.connections.database import open_shared_writer
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.connections.rows import fetch
from core.ports.backups import APPENDED, BackupRow, Progress, VersionedTable

_PAGES_PER_STEP = 1_024

_ENROL = """
INSERT INTO backups (repository, position, at) SELECT ?, position, ? FROM cluster WHERE true
ON CONFLICT (repository) DO UPDATE SET at = excluded.at
"""
_KEEP_HISTORY = """
UPDATE cluster SET keeps_history = 1, history_from = position WHERE keeps_history = 0
"""
_RECORD = "UPDATE backups SET position = ?, at = ? WHERE repository = ?"

# Large tables have no index by version: through the log the cost is proportional to the changes.
_CURRENT = {
    "documents": """
WITH put AS (
    SELECT change.value ->> 'library_id' AS library_id, change.value ->> 'document_id' AS id
    FROM log, json_each(log.changes) AS change
    WHERE log.position > ?1 AND change.value ->> 'kind' = 'document_put'
)
SELECT *, NULL FROM documents
WHERE (library_id, id) IN (SELECT library_id, id FROM put) AND version > ?1
""",
    "chunks": """
WITH put AS (
    SELECT change.value ->> 'library_id' AS library_id, chunk.value AS id
    FROM log, json_each(log.changes) AS change, json_each(change.value, '$.chunk_ids') AS chunk
    WHERE log.position > ?1 AND change.value ->> 'kind' = 'chunks_put'
)
SELECT *, NULL FROM chunks
WHERE (library_id, id) IN (SELECT library_id, id FROM put) AND version > ?1
""",
}


class SqliteSource:
    """The SQLite file in one read transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        cluster = "SELECT position, database_id, keeps_history, history_from FROM cluster"
        ((self.position, self.database_id, keeps, history_from),) = fetch(connection, cluster)
        self._history_from: int | None = history_from if keeps else None
        self.schema: int = connection.pragma("user_version")

    def time_of(self, position: int) -> str | None:
        rows = fetch(self._connection, "SELECT at FROM log WHERE position = ?", position)
        return rows[0][0] if rows else None

    def reaches_back_to(self, position: int) -> bool:
        counted = "SELECT count(*) FROM log WHERE position > ?"
        ((entries,),) = fetch(self._connection, counted, position)
        kept = self._history_from is not None and self._history_from <= position
        return kept and entries == self.position - position

    def columns(self, table: str) -> list[str]:
        rows = fetch(self._connection, "SELECT name FROM pragma_table_info(?)", table)
        return [row[0] for row in rows]

    def current_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        by_version = f"SELECT *, NULL FROM {table.name} WHERE version > ?1"  # noqa: S608  # ours
        return self._rows(_CURRENT.get(table.name, by_version), after)

    def superseded_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        columns = ", ".join(f'"{name}"' for name in [*self.columns(table.name), "until"])
        sql = (
            f"SELECT {columns} FROM {table.name}_history"  # noqa: S608  # names of our own
            " WHERE until > ?1 AND version > ?1"
        )
        return self._rows(sql, after)

    def ended_rows(self, table: VersionedTable, after: int) -> Iterator[BackupRow]:
        columns, history = ", ".join([*table.key, "until"]), f"{table.name}_history"
        sql = (
            f"SELECT {columns} FROM {history}"  # noqa: S608  # names of our own
            " WHERE until > ?1 AND version <= ?1"
        )
        return self._rows(sql, after)

    def appended_rows(self, table: str, after: int) -> Iterator[BackupRow]:
        sql = f"SELECT * FROM {table} WHERE {APPENDED[table]} > ?1"  # noqa: S608  # names of our own
        return self._rows(sql, after)

    def copy_to(self, path: Path, progress: Progress) -> None:
        with closing(apsw.Connection(str(path))) as target:
            with target.backup("main", self._connection, "main") as copying:
                while not copying.done:
                    copying.step(_PAGES_PER_STEP)
                    progress(copying.page_count - copying.remaining, copying.page_count)
            # A backup is one file, so WAL mode, copied with the first page, is turned off.
            target.pragma("journal_mode", "delete")

    def _rows(self, sql: str, after: int) -> Iterator[BackupRow]:
        return iter(self._connection.execute(sql, (after,)))


class SqliteBackupDatabase:
    """A SQLite file to back up, while a server runs or not."""

    def __init__(self, path: Path, *, now: Clock = utc_now) -> None:
        self._path = path
        self._now = now

    def enrol(self, repository: str) -> None:
        """Enrol in one transaction, so that no history is deleted between its two steps."""
        with self._open() as connection, connection:
            connection.execute(_ENROL, (repository, to_time(self._now())))
            connection.execute(_KEEP_HISTORY)

    @contextmanager
    def source(self) -> Iterator[SqliteSource]:
        with self._open() as connection:
            connection.execute("BEGIN")
            yield SqliteSource(connection)

    def record_backup(self, repository: str, position: int) -> None:
        with self._open() as connection:
            connection.execute(_RECORD, (position, to_time(self._now()), repository))
            trim_history(connection, self._now())

    @contextmanager
    def _open(self) -> Iterator[apsw.Connection]:
        with closing(open_shared_writer(self._path)) as connection, sqlite_errors():
            yield connection
