"""The order of a database's servers."""

import pytest

from core.adapters.postgres.connections.servers import Servers

THREE = {"host": "a,b,c", "port": "1,2,3"}


def test_the_server_that_was_connected_to_is_tried_first() -> None:
    servers = Servers.of(THREE)
    assert servers.parameters == THREE
    servers.prefer("c", 3)
    assert servers.parameters == {"host": "c,a,b", "port": "3,1,2"}
    servers.prefer("a", 1)
    assert servers.parameters == {"host": "a,c,b", "port": "1,3,2"}


@pytest.mark.parametrize(("host", "port"), [("d", 1), ("b", 1)])
def test_another_server_changes_nothing(host: str, port: int) -> None:
    servers = Servers.of(THREE)
    servers.prefer(host, port)
    assert servers.parameters == THREE


def test_one_port_is_that_of_all_hosts() -> None:
    servers = Servers.of({"host": "a,b", "port": 1})
    servers.prefer("b", 1)
    assert servers.parameters == {"host": "b,a", "port": "1,1"}


def test_without_a_port_the_default_stays() -> None:
    servers = Servers.of({"host": "a,b"})
    servers.prefer("b", 5432)
    assert servers.parameters == {"host": "b,a", "port": ","}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"host": "a", "port": "1"},
        {**THREE, "hostaddr": "x,y,z"},
        {"host": "a,b", "port": "1,2,3"},
    ],
    ids=["none", "one", "addresses", "unequal"],
)
def test_other_parameters_stay_as_they_are(parameters: dict[str, str]) -> None:
    servers = Servers.of(parameters)
    servers.prefer("a", 1)
    assert servers.parameters == {}
