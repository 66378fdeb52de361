"""The half of a SQLite store that reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.clock import Clock
from core.adapters.positions import note_position
from core.adapters.sqlite.connections.durability import LOCAL
from core.adapters.sqlite.connections.errors import sqlite_errors
from core.adapters.sqlite.connections.readers import Readers
from core.adapters.sqlite.connections.rows import fetch
from core.adapters.sqlite.transactions import SqliteSnapshot
from core.ports.store import DurabilityState


class SqliteReads:
    """A base of stores in the file at `path`."""

    def __init__(self, path: Path, now: Clock) -> None:
        self._now = now
        self._readers = Readers(path)

    @property
    def position(self) -> int:
        with self.read() as snapshot:
            return snapshot.position

    @property
    def epoch(self) -> int:
        with sqlite_errors(), self._readers.transaction() as connection:
            return int(fetch(connection, "SELECT epoch FROM cluster")[0][0])

    @property
    def head(self) -> tuple[int, bytes]:
        with self.read() as snapshot:
            return snapshot.position, snapshot.log.last_hash

    def read_durability(self) -> DurabilityState:
        return LOCAL

    @contextmanager
    def read(self) -> Iterator[SqliteSnapshot]:
        with sqlite_errors(), self._readers.transaction() as connection:
            snapshot = SqliteSnapshot(connection, self._now)
            with note_position(snapshot.position):
                yield snapshot
