"""A pool of read connections, each leased to one reader at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import apsw

from core.adapters.sqlite.connections.database import open_reader
from core.domain.errors import StorageError


class Readers:
    """A pool with as many connections as there were readers at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[apsw.Connection] = []
        self._lock = Lock()
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        connection = self._take()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    def close(self) -> None:
        """Close the idle connections now, and each leased one on its return."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> apsw.Connection:
        with self._lock:
            if self._closed:
                raise StorageError("The store is closed.")
            if self._idle:
                return self._idle.pop()
        return open_reader(self._path)

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
