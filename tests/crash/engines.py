"""The engines below the server: how each is set, read past the server, and killed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from tests.crash import record
from tests.crash.record import Record


class Engine(Protocol):
    """One database, in a data directory of its own."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The server's settings for it."""
        ...

    def start(self) -> None:
        """It runs afterwards, whether it did before or not."""
        ...

    def kill(self) -> None:
        """All of its processes at once, if it has any of its own."""
        ...

    def stop(self) -> None: ...

    def read(self, since: int) -> Record:
        """Beside the server; of the log what is behind a position."""
        ...


class Sqlite:
    """In the server's own process: it starts, and is killed, with it."""

    environment: Mapping[str, str] = {}

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "nalanda.db"

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...

    def read(self, since: int) -> Record:
        return record.of_sqlite(self._path, since)
