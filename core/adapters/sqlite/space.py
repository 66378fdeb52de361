"""Gives back the pages of what was deleted: in small steps while others write, or all at once.

A new file can give back its free pages by itself (SQLite's incremental auto-vacuum). One from
before that learns it when it is compacted, which writes the file anew.
"""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw

from core.adapters.sqlite.database import open_beside
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.history import trim_history

DEAD_SHARE = 0.2
"""Of a file's pages that are free: above it they are given back by themselves."""

_DEAD_PAGES = 1_000
"""Fewer are left for the next writes."""

_PAGES_A_STEP = 256
_TRUNCATE_WAIT_MS = 100
_INCREMENTAL = 2


def reclaim(path: Path, now: datetime) -> int:
    """Bytes given back, if the dead share is above `DEAD_SHARE` once needless history is gone.

    Each step is a transaction of a few milliseconds, and other writes go between. A crash loses
    no more than steps. Nothing happens to a file that was never compacted and is from before
    this was there.
    """
    with closing(open_beside(path)) as connection, sqlite_errors():
        connection.pragma("synchronous", "normal")  # the next write's sync covers these
        trim_history(connection, now)
        if connection.pragma("auto_vacuum") != _INCREMENTAL or not _is_worth_it(connection):
            return 0
        before = connection.pragma("page_count")
        while connection.pragma("freelist_count"):
            connection.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
        _shorten_log(connection)
        freed = before - connection.pragma("page_count")
        return int(freed * connection.pragma("page_size"))


def rewrite(connection: apsw.Connection) -> None:
    """Writes the file anew without its free pages; takes its size in free space meanwhile."""
    with sqlite_errors():
        connection.pragma("auto_vacuum", _INCREMENTAL)
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _is_worth_it(connection: apsw.Connection) -> bool:
    free = connection.pragma("freelist_count")
    return bool(free > max(_DEAD_PAGES, DEAD_SHARE * connection.pragma("page_count")))


def _shorten_log(connection: apsw.Connection) -> None:
    """The WAL file; it stays as it is where a reader still needs it."""
    connection.set_busy_timeout(_TRUNCATE_WAIT_MS)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
