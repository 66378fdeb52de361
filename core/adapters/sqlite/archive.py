"""The file of the archive of finished questions, which is no part of the record."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import apsw

from core.adapters import private
from core.adapters.sql.archive import SqlArchive
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.session import SqliteSession

FILE = "questions.db"

_BUSY_TIMEOUT_MS = 5_000
_CREATE = """
CREATE TABLE IF NOT EXISTS questions (
    workflow_id TEXT PRIMARY KEY,
    library_id TEXT,
    status TEXT NOT NULL,
    query TEXT,
    stage TEXT,
    started_us INTEGER NOT NULL,
    ended_us INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS questions_by_end ON questions (ended_us, workflow_id);
"""


class SqliteSessions:
    """Sessions on one connection, which is opened at the first one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._connection: apsw.Connection | None = None

    @contextmanager
    def open(self) -> Iterator[SqliteSession]:
        with self._lock, sqlite_errors():
            if self._connection is None:
                self._connection = _connect(self._path)
            yield SqliteSession(self._connection)

    def close(self) -> None:
        with self._lock, sqlite_errors():
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def archive_in(data_dir: Path) -> SqlArchive:
    """Return the archive of a data directory; its file is created at the first use."""
    return SqlArchive(SqliteSessions(data_dir / FILE))


def _connect(path: Path) -> apsw.Connection:
    with suppress(OSError):  # SQLite reports the error
        private.create(path)
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("fullfsync", True)
    connection.pragma("secure_delete", True)  # what was deleted is not left in free pages
    connection.execute(_CREATE)
    return connection
