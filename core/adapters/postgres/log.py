"""The log in PostgreSQL: read within a snapshot, cut off at its old end."""

from collections.abc import Iterator

from core.adapters.log import from_entry
from core.adapters.postgres.rows import Connection, fetch
from core.adapters.rows import to_datetime
from core.ports.store import LogEntry

_AT_ONCE = 500

_OLDEST = "SELECT min(position) FROM log"
_AFTER = "SELECT position, at, changes FROM log WHERE position > %s ORDER BY position LIMIT %s"
# `least` passes over NULL, which is what there is where no backups are taken.
_TRIM = """
DELETE FROM log
WHERE position < least(%s, (SELECT position FROM cluster), (SELECT min(position) FROM backups))
    AND position < (SELECT min(position) FROM log) + %s
"""


class Log:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def oldest(self) -> int | None:
        ((position,),) = fetch(self._connection, _OLDEST)
        return None if position is None else int(position)

    def after(self, position: int) -> Iterator[LogEntry]:
        while rows := fetch(self._connection, _AFTER, position, _AT_ONCE):
            for position, at, changes in rows:
                yield LogEntry(position, to_datetime(at), from_entry(changes))


def trim(connection: Connection, before: int) -> int:
    """One batch, in a transaction of its own; how many entries are gone."""
    return connection.execute(_TRIM, (before, _AT_ONCE)).rowcount
