"""Ports: sockets that reserve one, and numbers for processes that bind by themselves."""

import socket
from collections.abc import Collection, Container, Iterable
from contextlib import closing

import psutil

HOST = "127.0.0.1"
TRIES = 100
BACKLOG = 2048


class NoFreePort(Exception):
    def __init__(self, wanted: int, last: int) -> None:
        super().__init__(
            f"No port from {wanted} to {last} of {HOST} is free. Choose another with --port."
        )


def listen(wanted: int) -> socket.socket:
    """Return a socket that listens on `wanted` or the next free port; 0 is any free port.

    The listening socket keeps the port: no other process gets it, not even while a server that
    accepts from the socket restarts.

    Raises:
        NoFreePort: none of the next hundred ports is free.
    """
    for port in _from(wanted):
        listener = socket.socket()
        # Else a port that a server has just released would look taken for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
        else:
            return listener
    raise NoFreePort(wanted, _last(wanted))


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` now; another process may still take it."""
    with socket.socket() as probe:
        # As servers do; else a port that one has just released would look taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def first_free(wanted: int, *, promised: Container[int] = ()) -> int:
    """Return the lowest free port from `wanted` on that is not `promised`; 0 is any free port.

    Raises:
        NoFreePort: none of the next hundred ports is free.
    """
    for port in _from(wanted):
        if port == 0:
            with closing(listen(0)) as listener:
                return port_of(listener)
        if port not in promised and is_free(port):
            return port
    raise NoFreePort(wanted, _last(wanted))


def listens(process: int, ports: Collection[int]) -> bool:
    """Return whether this very process listens on each of the ports."""
    if not ports:
        return True
    try:
        connections = psutil.Process(process).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    own = {
        connection.laddr.port
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }
    return own.issuperset(ports)


def _from(wanted: int) -> Iterable[int]:
    return range(wanted, _last(wanted) + 1)


def _last(wanted: int) -> int:
    return min(wanted + TRIES - 1, 65535) if wanted else 0
