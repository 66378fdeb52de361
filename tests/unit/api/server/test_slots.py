"""Connection slots: acquisition and eviction."""

import pytest

from api.server.slots import Slots, client_of, share_of


class Connection:
    def __init__(self, slots: Slots, address: str) -> None:
        self.evicted = False
        self.acquired = slots.acquire(self, address)

    def evict(self) -> None:
        self.evicted = True


def test_there_are_so_many_slots() -> None:
    slots = Slots(2)
    first, second, third = (Connection(slots, name) for name in "aab")
    assert first.acquired
    assert second.acquired
    assert third.acquired
    assert first.evicted  # it had sent no request, and its client had the most connections


def test_who_sent_a_request_is_not_evicted() -> None:
    slots = Slots(2)
    connections = [Connection(slots, name) for name in "ab"]
    for connection in connections:
        slots.protect(connection)
    refused = Connection(slots, "c")
    assert not refused.acquired
    assert not any(connection.evicted for connection in connections)
    slots.release(refused)
    slots.release(connections[0])
    assert Connection(slots, "c").acquired


def test_one_client_has_its_share_alone() -> None:
    slots = Slots(100, most_per_client=3)
    connections = [Connection(slots, "a") for _ in range(3)]
    for connection in connections:
        slots.protect(connection)
    assert not Connection(slots, "a").acquired
    assert Connection(slots, "b").acquired


def test_a_client_that_only_connects_evicts_its_own() -> None:
    slots = Slots(100, most_per_client=3)
    other = Connection(slots, "b")
    idle = [Connection(slots, "a") for _ in range(10)]
    assert all(connection.acquired for connection in idle)
    assert [connection.evicted for connection in idle] == [True] * 7 + [False] * 3
    assert not other.evicted


def test_a_client_that_has_many_evicts_no_one_who_has_less() -> None:
    slots = Slots(3)
    for _ in range(2):
        slots.protect(Connection(slots, "a"))
    other = Connection(slots, "b")
    assert not Connection(slots, "a").acquired
    assert not other.evicted


def test_an_evicted_connection_is_released_once() -> None:
    slots = Slots(1)
    first = Connection(slots, "a")
    second = Connection(slots, "a")
    assert first.evicted
    slots.release(first)  # as when the connection is lost later
    slots.protect(first)
    slots.protect(second)
    assert not Connection(slots, "b").acquired


def test_nothing_is_left_of_connections_that_are_gone() -> None:
    slots = Slots(3)
    connections = [Connection(slots, name) for name in "aabbc"]
    for connection in connections:
        slots.release(connection)
    assert not slots._clients
    assert not slots._waiting
    assert not +slots._open


@pytest.mark.parametrize(("most", "share"), [(1, 1), (2, 2), (4, 3), (1000, 750)])
def test_the_share(most: int, share: int) -> None:
    assert share_of(most) == share


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_clients(one: str, other: str, same: bool) -> None:
    assert (client_of(one) == client_of(other)) is same
