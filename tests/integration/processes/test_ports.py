import os
import socket
from collections.abc import Iterator

import pytest

from cli.processes import stack
from cli.processes.ports import (
    HOST,
    NoFreePort,
    first_free,
    is_free,
    listen,
    listens,
    port_of,
)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_with_a_server_is_taken(taken: int) -> None:
    assert not is_free(taken)


def test_a_server_on_all_addresses_takes_it_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_the_next_free_port_is_taken_instead(taken: int) -> None:
    assert first_free(taken) > taken


def test_a_promised_port_is_not_given_again(taken: int) -> None:
    first = first_free(taken)
    assert first_free(taken, promised=(first,)) > first


def test_it_ends_where_ports_end() -> None:
    with pytest.raises(NoFreePort, match="from 65535 to 65535"):
        first_free(65535, promised=(65535,))


def test_who_listens_has_the_port_alone() -> None:
    with listen(0) as first, listen(port_of(first)) as second:
        assert port_of(second) != port_of(first)
        assert not is_free(port_of(first))


def test_a_server_on_all_addresses_of_ipv6_is_not_shared_with() -> None:
    with (
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server,
        listen(server.getsockname()[1]) as other,
    ):
        assert port_of(other) != server.getsockname()[1]


def test_port_0_is_any() -> None:
    assert first_free(0) > 0
    notices: list[str] = []
    assert stack.choose_port(0, notices.append) > 0
    assert notices == []


def test_a_port_is_a_process_own_only_if_it_listens_there(taken: int) -> None:
    assert listens(os.getpid(), [taken])
    assert not listens(1, [taken])  # also if its sockets are hidden from this user
    assert not listens(os.getpid(), [taken, first_free(0)])


def test_a_different_port_is_said(taken: int) -> None:
    notices: list[str] = []
    port = stack.choose_port(taken, notices.append)
    assert notices == [f"Port {taken} is in use; using {port}."]
    assert stack.choose_port(port, notices.append) == port
    assert len(notices) == 1
