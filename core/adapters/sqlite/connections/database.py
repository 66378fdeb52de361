"""Opens the database file: settings, ownership and format.

The format's number is SQLite's `user_version`: the number of files in `migrations/` that have
been run on the file.
"""

from contextlib import suppress
from pathlib import Path

import apsw

from core import crash_points
from core.adapters import private
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.domain.errors import StorageError
from core.ports.store import Durability

APPLICATION_ID = 0x4E_41_4C_44
"""`NALD`, SQLite's `application_id` of Nalanda's files."""

MIGRATIONS = sorted((Path(__file__).parents[1] / "migrations").glob("*.sql"))

# `normal` syncs at WAL checkpoints alone: a power cut loses the commits since, and nothing else.
_SYNCHRONOUS: dict[Durability, str] = {"full": "full", "relaxed": "normal"}

_BUSY_TIMEOUT_MS = 5_000
_SHARED_TIMEOUT_MS = 30_000
_INCREMENTAL = 2
_CACHE_KIB = 16 * 1024
_WAL_BYTES = 64 * 2**20
"""The size to which SQLite truncates a longer WAL when it restarts the WAL."""


def open_writer(path: Path, durability: Durability = "full") -> apsw.Connection:
    """Open the writing connection; create or migrate the file.

    Raises:
        StorageError: the file is no database, another program's, damaged, or newer than this
            program.
    """
    with suppress(OSError):  # SQLite reports the error; its other files get this one's mode
        private.create(path)
    with sqlite_errors():
        connection = apsw.Connection(str(path))
    try:
        with sqlite_errors():
            _prepare(connection, durability)
    except StorageError as error:
        connection.close()
        raise type(error)(f"{path} can't be opened: {error}") from error
    return connection


def open_shared_writer(path: Path) -> apsw.Connection:
    """Open another writing connection, to a file that a server may have open.

    Raises:
        StorageError: the file is missing, another program's, damaged, or of another format.
    """
    if not path.exists():
        raise StorageError(f"There is no database {path}.")
    with sqlite_errors():
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        with sqlite_errors():
            check_format(connection)
            _configure(connection)
            connection.set_busy_timeout(_SHARED_TIMEOUT_MS)  # the server takes most turns
            connection.pragma("synchronous", "full")
            connection.pragma("fullfsync", True)
            connection.pragma("foreign_keys", True)
    except StorageError as error:
        connection.close()
        raise StorageError(f"{path} can't be opened: {error}") from error
    return connection


def open_reader(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    _configure(connection)
    return connection


def check_format(connection: apsw.Connection) -> None:
    """Check that the file is Nalanda's, and of this program's format.

    Raises:
        StorageError: it is another program's, or of another format.
    """
    _check_ownership(connection)
    version, newest = connection.pragma("user_version"), len(MIGRATIONS)
    if version < newest:
        raise StorageError(
            f"It has format {version}, and this program's is {newest}: start the server once."
        )


def _prepare(connection: apsw.Connection, durability: Durability) -> None:
    _check_ownership(connection)
    _configure(connection)
    if connection.pragma("schema_version") == 0:
        # Only for an empty file: in another one it is a write without effect, and fails on a
        # full disk.
        connection.pragma("auto_vacuum", _INCREMENTAL)
    if connection.pragma("journal_mode", "wal") != "wal":
        raise StorageError("Its file system has no shared memory, which the WAL mode needs.")
    connection.pragma("synchronous", _SYNCHRONOUS[durability])
    connection.pragma("fullfsync", True)  # macOS: to the disk itself, not into its cache
    connection.pragma("foreign_keys", True)
    connection.pragma("journal_size_limit", _WAL_BYTES)
    _migrate(connection)


def _configure(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    # The name of a column that is missing is an error, and not the text of that name.
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
    connection.pragma("cache_size", -_CACHE_KIB)
    connection.pragma("temp_store", 2)  # memory: a full disk is no hindrance, nor is /tmp


def _check_ownership(connection: apsw.Connection) -> None:
    if connection.pragma("schema_version") == 0:  # nothing was ever made in it
        return
    if connection.pragma("application_id") != APPLICATION_ID:
        raise StorageError("The database is another program's; Nalanda leaves it unchanged.")
    version, newest = connection.pragma("user_version"), len(MIGRATIONS)
    if version > newest:
        raise StorageError(
            f"A newer Nalanda has written it (format {version}; this one knows up to {newest})."
        )


def _migrate(connection: apsw.Connection) -> None:
    """Run each missing migration in a transaction that also sets the format's number."""
    for number, script in enumerate(MIGRATIONS, start=1):
        if number <= connection.pragma("user_version"):
            continue
        with connection:
            connection.execute(script.read_text())
            connection.pragma("application_id", APPLICATION_ID)
            connection.pragma("user_version", number)
            crash_points.reach("migrate.before")
        crash_points.reach("migrate.after")
