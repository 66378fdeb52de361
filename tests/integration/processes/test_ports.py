import socket
from collections.abc import Iterator

import pytest

from cli.processes import stack
from cli.processes.ports import HOST, NoFreePort, first_free, is_free


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


def test_a_different_port_is_said(taken: int) -> None:
    notices: list[str] = []
    port = stack.choose_port(taken, notices.append)
    assert notices == [f"Port {taken} is taken, using {port}."]
    assert stack.choose_port(port, notices.append) == port
    assert len(notices) == 1
