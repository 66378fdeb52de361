"""The log, read within a snapshot."""

from collections.abc import Iterator

from core.adapters.sql.entries import from_entry
from core.adapters.sql.rows import to_datetime
from core.adapters.sql.session import ReadSession
from core.ports.store import LogEntry

_BATCH_ROWS = 500

_OLDEST = "SELECT min(position) FROM log"
_AFTER = "SELECT position, at, changes FROM log WHERE position > ? ORDER BY position LIMIT ?"


class Log:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    @property
    def oldest(self) -> int | None:
        ((position,),) = self._session.fetch(_OLDEST)
        return None if position is None else int(position)

    def after(self, position: int) -> Iterator[LogEntry]:
        while rows := self._session.fetch(_AFTER, position, _BATCH_ROWS):
            for position, at, changes in rows:
                yield LogEntry(position, to_datetime(at), from_entry(changes))
