"""A time limit on calls of a database that may never answer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import dup

import psycopg

from core.adapters.postgres.connections.rows import Connection


@contextmanager
def time_limit(connection: Connection, limit_s: float) -> Iterator[None]:
    """Cut the connection if the block takes longer, whose call then raises `OperationalError`."""
    lock = threading.Lock()
    ended = False

    def cut_late() -> None:
        with lock:
            if not ended:
                cut(connection)

    timer = threading.Timer(limit_s, cut_late)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended = True
        timer.cancel()


def cut(connection: Connection) -> None:
    """End a connection that another thread may be waiting for."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=dup(connection.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
