"""Returns free pages to the file system: in small steps while others write, or by a VACUUM.

New files have SQLite's incremental auto-vacuum. A file without it, from an older release, gets
it from the VACUUM of `nalanda compact`.
"""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw

from core.adapters.sqlite.backup.history import trim_history
from core.adapters.sqlite.connections.database import open_shared_writer
from core.adapters.sqlite.connections.errors import sqlite_errors

DEAD_SHARE = 0.2
"""The share of free pages above which `reclaim` returns them."""

_DEAD_PAGES = 1_000
"""The number of free pages up to which they are left for the next writes."""

_PAGES_PER_STEP = 256
_TRUNCATE_WAIT_MS = 100
_INCREMENTAL = 2


def reclaim(path: Path, now: datetime) -> int:
    """Delete needless history, then return free pages above `DEAD_SHARE`; return the bytes freed.

    Each step is a transaction of a few milliseconds, with other writes in between; a crash only
    ends the steps. A file without incremental auto-vacuum keeps its free pages.
    """
    with closing(open_shared_writer(path)) as connection, sqlite_errors():
        connection.pragma("synchronous", "normal")  # the next write's sync covers these
        trim_history(connection, now)
        if connection.pragma("auto_vacuum") != _INCREMENTAL or not _is_worth_it(connection):
            return 0
        before = connection.pragma("page_count")
        while connection.pragma("freelist_count"):
            connection.execute(f"PRAGMA incremental_vacuum({_PAGES_PER_STEP})").fetchall()
        _shorten_log(connection)
        freed = before - connection.pragma("page_count")
        return int(freed * connection.pragma("page_size"))


def rewrite(connection: apsw.Connection) -> None:
    """Rewrite the file without its free pages; needs the file's size in free space meanwhile."""
    with sqlite_errors():
        connection.pragma("auto_vacuum", _INCREMENTAL)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_worth_it(connection: apsw.Connection) -> bool:
    free = connection.pragma("freelist_count")
    return bool(free > max(_DEAD_PAGES, DEAD_SHARE * connection.pragma("page_count")))


def _shorten_log(connection: apsw.Connection) -> None:
    """Truncate the WAL file, unless a reader still needs it."""
    connection.set_busy_timeout(_TRUNCATE_WAIT_MS)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
