"""The log, read within a snapshot."""

from collections.abc import Iterator

from core.adapters.sql.columns import Row
from core.adapters.sql.entries import from_entry
from core.adapters.sql.rows import to_datetime, to_time
from core.adapters.sql.session import ReadSession
from core.domain.log_hash import GENESIS, continues, next_hash
from core.ports.store import LogEntry

_BATCH_ROWS = 500

_OLDEST = "SELECT min(position) FROM log"
_LAST_HASH = "SELECT hash FROM log ORDER BY position DESC LIMIT 1"
_AFTER = """
SELECT position, epoch, at, changes, hash FROM log WHERE position > ? ORDER BY position LIMIT ?
"""


class Log:
    def __init__(self, session: ReadSession) -> None:
        self._session = session

    @property
    def oldest(self) -> int | None:
        ((position,),) = self._session.fetch(_OLDEST)
        return None if position is None else int(position)

    @property
    def last_hash(self) -> bytes:
        rows = self._session.fetch(_LAST_HASH)
        return bytes(rows[0][0]) if rows else GENESIS

    def after(self, position: int) -> Iterator[LogEntry]:
        for row_position, _, at, changes, hash_ in self._rows(position):
            yield LogEntry(row_position, to_datetime(at), from_entry(changes), hash_)

    def broken_links(self) -> Iterator[int]:
        before, previous = 0, GENESIS
        for position, epoch, at, changes, hash_ in self._rows(0):
            if position == before + 1:
                time = to_time(to_datetime(at))
                expected = next_hash(previous, position, epoch, time, changes)
                if not continues(previous, hash_, expected):
                    yield position
            before, previous = position, hash_

    def _rows(self, position: int) -> Iterator[Row]:
        size = _BATCH_ROWS
        while size == _BATCH_ROWS:
            rows = self._session.fetch(_AFTER, position, _BATCH_ROWS)
            yield from rows
            size, position = len(rows), rows[-1][0] if rows else position
