"""The libraries that a node is to hold, as other nodes come and go."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.adapters.clock import utc_now
from core.cluster.placement import Placement, capacity_of, placement_of
from core.domain.errors import StorageError
from core.ports.cluster import Node, Sighting
from core.settings import Settings

OWN = Node("a", "first", "http://a", "1", capacity_bytes=100)
B = Sighting("b", "http://b", "follower", 7, "1", utc_now(), capacity_bytes=100)
LEADER = replace(B, node_id="leader", role="leader", capacity_bytes=None)
LIBRARIES = [f"library-{number}" for number in range(200)]


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def placement(clock: Clock) -> Placement:
    return Placement(OWN, 1, grace_s=60, settled_s=5, clock=clock)


def held_by(placement: Placement) -> set[str]:
    return {id_ for id_ in LIBRARIES if placement.holds(id_)}


def test_a_node_holds_its_share_of_what_is_placed(placement: Placement) -> None:
    placement.note([LEADER])
    assert held_by(placement) == set(LIBRARIES)
    assert placement.holders_of("x") == ("a",)


def test_the_first_look_counts_at_once(placement: Placement) -> None:
    placement.note([LEADER, B])
    assert 60 < len(held_by(placement)) < 140


def test_another_node_counts_once_it_has_stayed(placement: Placement, clock: Clock) -> None:
    placement.note([])
    clock.now_s += 100
    placement.note([B])
    assert len(held_by(placement)) == len(LIBRARIES)
    clock.now_s += 4.9
    placement.note([B])
    assert len(held_by(placement)) == len(LIBRARIES)
    clock.now_s += 0.2
    placement.note([B])
    assert len(held_by(placement)) < len(LIBRARIES)


def test_a_node_may_restart_within_the_grace(placement: Placement, clock: Clock) -> None:
    placement.note([B])
    share = held_by(placement)
    for age_s in (30.0, 59.0, 1.0):
        clock.now_s += 30
        placement.note([replace(B, age_s=age_s)])
        assert held_by(placement) == share
    placement.note([replace(B, age_s=61.0)])
    clock.now_s += 5
    placement.note([replace(B, age_s=66.0)])
    assert held_by(placement) == set(LIBRARIES)


def test_an_outage_of_the_database_moves_nothing(placement: Placement, clock: Clock) -> None:
    """No node could report itself; the first looks after it see each node as long gone."""
    placement.note([B])
    share = held_by(placement)
    clock.now_s += 600
    placement.note([replace(B, age_s=600)])
    clock.now_s += 2
    placement.note([B])
    clock.now_s += 600
    placement.note([B])
    assert held_by(placement) == share


def test_what_the_node_says_of_itself_is_not_taken_from_the_record(placement: Placement) -> None:
    stale = replace(B, node_id="a", age_s=500, capacity_bytes=1)
    placement.note([B, stale])
    without = Placement(OWN, 1, grace_s=60, settled_s=5)
    without.note([B])
    assert held_by(placement) == held_by(without)


def settings_of(tmp_path: Path, **values: object) -> Settings:
    return Settings(data_dir=tmp_path, _env_file=None, **values)


def test_only_a_node_that_never_leads_holds_a_part(tmp_path: Path) -> None:
    for role in ("auto", "leader"):
        assert capacity_of(settings_of(tmp_path, role=role, replication_factor=2)) is None
    assert capacity_of(settings_of(tmp_path, role="follower")) is None
    follower = settings_of(tmp_path, role="follower", replication_factor=2)
    assert (capacity_of(follower) or 0) > 2**20
    assert capacity_of(follower.model_copy(update={"capacity_bytes": 7})) == 7
    assert placement_of(follower, replace(OWN, capacity_bytes=None)) is None


def test_a_node_that_holds_a_part_has_no_readers(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, role="follower", replication_factor=2, readers=2)
    with pytest.raises(StorageError, match="set NALANDA_READERS to 1"):
        placement_of(settings, OWN)
