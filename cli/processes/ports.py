"""Which port to listen on: the wanted one, or the next that is free."""

import socket
from collections.abc import Container

HOST = "127.0.0.1"
TRIES = 100


class NoFreePort(Exception):
    def __init__(self, wanted: int, last: int) -> None:
        super().__init__(f"Nothing can listen on any port from {wanted} to {last} of {HOST}.")


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now; another process may still be quicker."""
    with socket.socket() as probe:
        # As servers do, or a port that one has just left would look taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def first_free(wanted: int, *, promised: Container[int] = ()) -> int:
    """The lowest free port from `wanted` on that is not `promised` to someone else.

    Raises:
        NoFreePort: none of the next hundred is free.
    """
    last = min(wanted + TRIES - 1, 65535)
    for port in range(wanted, last + 1):
        if port not in promised and is_free(port):
            return port
    raise NoFreePort(wanted, last)
