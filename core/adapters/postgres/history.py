"""Keeps the rows that are superseded, and lets go of those that no backup needs any more."""

from datetime import datetime

from psycopg import sql

from core.adapters.postgres.rows import Connection, fetch
from core.adapters.rows import to_time
from core.ports.backups import VERSIONED, WAITED_FOR

_ROWS_A_STEP = 1_000

_FORGET = "DELETE FROM backups WHERE at <= %s"
_ANY = "SELECT EXISTS (SELECT FROM backups)"
_STOP = "UPDATE cluster SET keeps_history = false"
_MOVED = """
UPDATE cluster SET history_from =
    greatest(history_from, coalesce((SELECT min(position) FROM backups), position))
RETURNING history_from
"""
_KEEP = """
UPDATE cluster SET keeps_history = true, history_from = position WHERE NOT keeps_history
RETURNING position
"""


def keep(connection: Connection) -> None:
    """From the next position on; within a transaction.

    The row of `cluster` comes before the tables, as it does for writers, so that none waits for
    the other.
    """
    if fetch(connection, _KEEP):
        _switch(connection, "ENABLE")


def trim(connection: Connection, now: datetime) -> int:
    """How many rows were let go of; in small transactions, between which others can write.

    Where no backups are taken any more no history is kept, until there is another one.
    """
    if not fetch(connection, "SELECT FROM cluster WHERE keeps_history"):
        return 0
    with connection.transaction():
        connection.execute("SELECT FROM cluster FOR UPDATE")  # first, as writers have it
        connection.execute(_FORGET, (to_time(now - WAITED_FOR),))
        ((kept_from,),) = fetch(connection, _MOVED)
        if not fetch(connection, _ANY)[0][0]:
            connection.execute(_STOP)
            _switch(connection, "DISABLE")
    return sum(_deleted_until(connection, table.name, kept_from) for table in VERSIONED)


def _switch(connection: Connection, word: str) -> None:
    for table in VERSIONED:
        statement = sql.SQL("ALTER TABLE {} {} TRIGGER superseded")
        connection.execute(statement.format(sql.Identifier(table.name), sql.SQL(word)))


def _deleted_until(connection: Connection, table: str, position: int) -> int:
    statement = sql.SQL(
        "DELETE FROM {0} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {0} WHERE until <= %s LIMIT %s))"
    ).format(sql.Identifier(f"{table}_history"))
    deleted = 0
    while True:
        changed = connection.execute(statement, (position, _ROWS_A_STEP)).rowcount
        deleted += changed
        if changed < _ROWS_A_STEP:
            return deleted
