"""Cuts off the log's old end, in PostgreSQL."""

from core.adapters.postgres.rows import Connection

_AT_ONCE = 500

# `least` passes over NULL, which is what there is where no backups are taken.
_TRIM = """
DELETE FROM log
WHERE position < least(%s, (SELECT position FROM cluster), (SELECT min(position) FROM backups))
    AND position < (SELECT min(position) FROM log) + %s
"""


def trim(connection: Connection, before: int) -> int:
    """One batch, in a transaction of its own; how many entries are gone."""
    return connection.execute(_TRIM, (before, _AT_ONCE)).rowcount
