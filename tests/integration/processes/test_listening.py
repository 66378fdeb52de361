"""The socket of `nalanda serve`: its addresses, and conflicts over its port."""

import os
import socket
from collections.abc import Iterator

import pytest

from cli.processes import listening, ports
from cli.processes.listening import CannotListen


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
    ],
)
def test_the_url_is_one_that_clients_take(host: str, shown: str) -> None:
    with listening.bind(host, 0) as listener:
        assert listening.url_of(listener) == f"http://{shown}:{ports.port_of(listener)}"


def test_of_two_bound_sockets_the_second_one_to_listen_fails() -> None:
    with listening.bind("127.0.0.1", 0) as first:
        port = ports.port_of(first)
        second = listening.bind("127.0.0.1", port)
        listening.listen(first, "127.0.0.1", port)
        with pytest.raises(CannotListen, match=f"Port {port} of 127.0.0.1 is in use"):
            listening.listen(second, "127.0.0.1", port)


@pytest.fixture
def pipe() -> Iterator[int]:
    reading, writing = os.pipe()
    yield reading
    os.close(reading)
    os.close(writing)


def test_a_descriptor_that_is_no_socket_is_refused(pipe: int) -> None:
    with pytest.raises(CannotListen, match="is not a socket"):
        listening.inherit(pipe)


def test_a_socket_that_does_not_listen_is_refused() -> None:
    with pytest.raises(CannotListen, match="is not listening"):
        listening.inherit(socket.socket().detach())
