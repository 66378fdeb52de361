"""Trims the log, in PostgreSQL."""

from core.adapters.postgres.connections.rows import Connection

_BATCH_ROWS = 500

# `least` ignores NULL, the value of the subquery where no repository is enrolled.
_TRIM = """
DELETE FROM log
WHERE position < least(%s, (SELECT position FROM cluster), (SELECT min(position) FROM backups))
    AND position < (SELECT min(position) FROM log) + %s
"""


def trim(connection: Connection, before: int) -> int:
    """Delete one batch of entries in a transaction of its own; return how many."""
    return connection.execute(_TRIM, (before, _BATCH_ROWS)).rowcount
