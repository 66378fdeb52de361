"""The lease, as its holder and another node judge it."""

from core.cluster.lease import HeldLease, Observation
from core.ports.cluster import Lease


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def a_lease(renewals: int) -> Lease:
    return Lease(1, "a", "first", "http://a:8000", renewals, 5.0, None)


def test_a_held_lease_ends_before_its_length_has_passed() -> None:
    clock = Clock()
    held = HeldLease(1, 5.0, clock(), clock)
    clock.now_s += 4.4
    assert held.is_valid
    clock.now_s += 0.2
    assert not held.is_valid


def test_a_renewal_counts_from_when_it_was_sent() -> None:
    clock = Clock()
    held = HeldLease(1, 5.0, clock(), clock)
    sent_s = clock()
    clock.now_s += 4.0  # the answer took as long
    held.extend(sent_s)
    clock.now_s += 0.6
    assert not held.is_valid


def test_a_lease_without_renewals_has_lasted_for_its_length() -> None:
    clock = Clock()
    observation = Observation(clock)
    for _ in range(10):
        observation.note(a_lease(1))
        assert not observation.has_lasted(5.0)
        clock.now_s += 0.5
    assert observation.has_lasted(5.0)


def test_a_renewal_begins_the_observation_again() -> None:
    clock = Clock()
    observation = Observation(clock)
    for renewals in range(10):
        observation.note(a_lease(renewals))
        clock.now_s += 4.0
        assert not observation.has_lasted(5.0)


def test_no_other_node_leads_while_a_lease_is_valid() -> None:
    clock = Clock()
    held = HeldLease(1, 5.0, clock(), clock)
    observation = Observation(clock)
    clock.now_s += 0.001  # the renewal reaches the database, and is read
    observation.note(a_lease(1))
    while not observation.has_lasted(5.0):
        clock.now_s += 0.01
    assert not held.is_valid
