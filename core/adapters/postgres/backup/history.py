"""History: keeps the rows that writes replace, until no backup needs them."""

from datetime import datetime

from psycopg import sql

from core.adapters.postgres.connections.rows import Connection, fetch
from core.adapters.sql.rows import to_time
from core.ports.backups import HISTORY_RETENTION, VERSIONED

_ROWS_PER_STEP = 1_000

_FORGET = "DELETE FROM backups WHERE at <= %s"
_STOP = "UPDATE cluster SET keeps_history = false WHERE NOT EXISTS (SELECT FROM backups)"
_ADVANCE = """
UPDATE cluster SET history_from =
    greatest(history_from, coalesce((SELECT min(backups.position) FROM backups), position))
RETURNING history_from
"""
_KEEP = """
UPDATE cluster SET keeps_history = true, history_from = position WHERE NOT keeps_history
"""


def keep(connection: Connection) -> None:
    """Keep history from the next position on."""
    connection.execute(_KEEP)


def trim(connection: Connection, now: datetime) -> int:
    """Delete the history that no backup needs; return how many rows.

    Small transactions let other writes run in between. Without an enrolled repository no
    history is kept at all.
    """
    if not fetch(connection, "SELECT FROM cluster WHERE keeps_history"):
        return 0
    with connection.transaction():
        connection.execute("SELECT FROM cluster FOR UPDATE")  # the first lock, as for writers
        connection.execute(_FORGET, (to_time(now - HISTORY_RETENTION),))
        connection.execute(_STOP)
        ((kept_from,),) = fetch(connection, _ADVANCE)
    return sum(_delete_until(connection, table.name, kept_from) for table in VERSIONED)


def _delete_until(connection: Connection, table: str, position: int) -> int:
    statement = sql.SQL(
        "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} WHERE until <= %s LIMIT %s))"
    ).format(sql.Identifier(f"{table}_history"))
    deleted = 0
    while True:
        changed = connection.execute(statement, (position, _ROWS_PER_STEP)).rowcount
        deleted += changed
        if changed < _ROWS_PER_STEP:
            return deleted
