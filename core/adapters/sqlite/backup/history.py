"""Deletes history that no backup needs any more."""

from datetime import datetime

import apsw

from core.adapters.sql.rows import to_time
from core.adapters.sqlite.connections.rows import fetch
from core.ports.backups import HISTORY_RETENTION, VERSIONED

_ROWS_PER_STEP = 1_000

_STOP = """
UPDATE cluster SET keeps_history = 0
WHERE keeps_history = 1 AND NOT EXISTS (SELECT 1 FROM backups)
"""
_ADVANCE = """
UPDATE cluster SET history_from =
    max(history_from, coalesce((SELECT min(position) FROM backups), position))
"""


def trim_history(connection: apsw.Connection, now: datetime) -> int:
    """Delete the history that no backup needs; return how many rows.

    Small transactions let other writes run in between. Without an enrolled repository no
    history is kept at all.
    """
    ((keeps_history,),) = fetch(connection, "SELECT keeps_history FROM cluster")
    if not keeps_history:
        return 0
    with connection:
        connection.execute("DELETE FROM backups WHERE at <= ?", (to_time(now - HISTORY_RETENTION),))
        connection.execute(_STOP)
        connection.execute(_ADVANCE)
    ((kept_from,),) = fetch(connection, "SELECT history_from FROM cluster")
    histories = (f"{table.name}_history" for table in VERSIONED)
    return sum(_delete_until(connection, name, kept_from) for name in histories)


def _delete_until(connection: apsw.Connection, table: str, position: int) -> int:
    step = (
        f"DELETE FROM {table} WHERE rowid IN"  # noqa: S608  # names of our own
        f" (SELECT rowid FROM {table} WHERE until <= ? LIMIT {_ROWS_PER_STEP})"
    )
    deleted = 0
    while True:
        connection.execute(step, (position,))
        changed = connection.changes()
        deleted += changed
        if changed < _ROWS_PER_STEP:
            return deleted
