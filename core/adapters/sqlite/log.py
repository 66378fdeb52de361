"""The log in SQLite: read within a snapshot, cut off at its old end."""

from collections.abc import Iterator
from datetime import datetime

import apsw

from core.adapters.log import from_entry
from core.adapters.sqlite.rows import fetch
from core.ports.store import LogEntry

_AT_ONCE = 500

_OLDEST = "SELECT min(position) FROM log"
_AFTER = "SELECT position, at, changes FROM log WHERE position > ? ORDER BY position LIMIT ?"
# Without LIMIT, which DELETE has only in some builds: positions have no gaps.
_TRIM = """
DELETE FROM log WHERE position < min(?1, (SELECT position FROM cluster))
    AND position < (SELECT min(position) FROM log) + ?2
    AND position < coalesce((SELECT min(position) FROM backups), ?1)
RETURNING position
"""


class Log:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def oldest(self) -> int | None:
        ((position,),) = fetch(self._connection, _OLDEST)
        return None if position is None else int(position)

    def after(self, position: int) -> Iterator[LogEntry]:
        while rows := fetch(self._connection, _AFTER, position, _AT_ONCE):
            for position, at, changes in rows:
                yield LogEntry(position, datetime.fromisoformat(at), from_entry(changes))


def trim(connection: apsw.Connection, before: int) -> int:
    """One batch, in a transaction of its own; how many entries are gone.

    What the next backups need stays.
    """
    return len(fetch(connection, _TRIM, before, _AT_ONCE))
