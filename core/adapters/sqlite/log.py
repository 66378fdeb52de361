"""Trims the log, in SQLite."""

import apsw

from core.adapters.sqlite.connections.rows import fetch

_BATCH_ROWS = 500

# Without LIMIT, which DELETE has only in some builds: positions have no gaps.
_TRIM = """
DELETE FROM log WHERE position < min(?1, (SELECT position FROM cluster))
    AND position < (SELECT min(position) FROM log) + ?2
    AND position < coalesce((SELECT min(position) FROM backups), ?1)
RETURNING position
"""


def trim(connection: apsw.Connection, before: int) -> int:
    """Delete one batch of entries in a transaction of its own; return how many.

    Entries that the next backups need stay.
    """
    return len(fetch(connection, _TRIM, before, _BATCH_ROWS))
