"""Lets go of history and log entries that no backup needs any more."""

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import apsw

from core.adapters.sqlite.database import open_beside
from core.adapters.sqlite.errors import sqlite_errors
from core.adapters.sqlite.rows import fetch, to_time
from core.ports.backups import VERSIONED

WAITED_FOR = timedelta(days=30)
"""A place that got no backup for so long is not waited for; its next backup is a full one."""

_ROWS_A_STEP = 1_000

_STOP = """
UPDATE cluster SET keeps_history = 0
WHERE keeps_history = 1 AND NOT EXISTS (SELECT 1 FROM backups)
"""
_MOVED = """
UPDATE cluster SET history_from =
    max(history_from, coalesce((SELECT min(position) FROM backups), position))
"""

_LOG_NEEDED = "SELECT coalesce((SELECT min(position) FROM backups), position) FROM cluster"


def trim(path: Path, position: int, now: datetime) -> None:
    """History, and the log before `position`, beside the process that has the data directory."""
    with closing(open_beside(path)) as connection, sqlite_errors():
        trim_history(connection, now)
        trim_log(connection, position)


def trim_history(connection: apsw.Connection, now: datetime) -> int:
    """How many rows were let go of; in small transactions, between which others can write.

    Where no backups are taken any more no history is kept, until there is another one.
    """
    with connection:
        connection.execute("DELETE FROM backups WHERE at <= ?", (to_time(now - WAITED_FOR),))
        connection.execute(_STOP)
        connection.execute(_MOVED)
    ((kept_from,),) = fetch(connection, "SELECT history_from FROM cluster")
    histories = (f"{table.name}_history" for table in VERSIONED)
    return sum(_deleted_below(connection, name, "until", kept_from + 1) for name in histories)


def trim_log(connection: apsw.Connection, position: int) -> int:
    """Deletes the entries before `position`, but for those that backups need; how many there were.

    The last entry stays in any case: it says when the database came to where it is.
    """
    ((needed,),) = fetch(connection, _LOG_NEEDED)
    return _deleted_below(connection, "log", "position", min(position, needed))


def _deleted_below(connection: apsw.Connection, table: str, column: str, bound: int) -> int:
    step = (
        f"DELETE FROM {table} WHERE rowid IN"  # noqa: S608  # names of our own
        f" (SELECT rowid FROM {table} WHERE {column} < ? LIMIT {_ROWS_A_STEP})"
    )
    deleted = 0
    while True:
        connection.execute(step, (bound,))
        changed = connection.changes()
        deleted += changed
        if changed < _ROWS_A_STEP:
            return deleted
