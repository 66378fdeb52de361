"""The engines below the server: configuration, direct reads, and kills."""

import ctypes
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg

from tests.crash import record
from tests.crash.record import Record
from tests.postgres import start_server
from tests.waiting import until

_GONE_S = 120.0
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make this process the parent of the database's orphans, so that it can wait for them. Linux
    only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Engine(Protocol):
    """A database in its own data directory."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the server's settings for this engine."""
        ...

    def start(self) -> None:
        """Start the engine unless it is running."""
        ...

    def kill(self) -> None:
        """Kill all of the engine's own processes at once."""
        ...

    def stop(self) -> None: ...

    def read(self, since: int) -> Record:
        """Read the record while the server runs, with the log after a position."""
        ...


class Sqlite:
    """SQLite in the server's process, which starts and dies with the server."""

    environment: Mapping[str, str] = {}

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "nalanda.db"

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def stop(self) -> None: ...

    def read(self, since: int) -> Record:
        return record.of_sqlite(self._path, since)


class Postgres:
    """A PostgreSQL server, reached through a socket."""

    def __init__(self, data_dir: Path) -> None:
        # A new name each time, since the path identifies a server.
        self._server = start_server(Path(tempfile.mkdtemp(prefix="pg-", dir=data_dir)))
        self._url = self._server.get_uri()

    @property
    def environment(self) -> Mapping[str, str]:
        return {"NALANDA_DATABASE_URL": self._url}

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        postmaster = self._server.get_pid()
        assert postmaster is not None
        processes = [postmaster, *_children(postmaster)]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        # Reap them too: the next server would take zombies for running servers.
        for process in processes:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes), _GONE_S)

    def stop(self) -> None:
        self._server.stop()

    def read(self, since: int) -> Record:
        with psycopg.connect(self._url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return record.read(lambda sql: connection.execute(sql).fetchall(), since)


def _children(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in children.split()]


ENGINES: Mapping[str, Callable[[Path], Engine]] = {"sqlite": Sqlite, "postgres": Postgres}
