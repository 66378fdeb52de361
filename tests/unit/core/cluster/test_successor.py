"""The node that a leader hands over to."""

from dataclasses import replace

import pytest

from core.adapters.clock import utc_now
from core.cluster.successor import choose_successor
from core.domain.errors import Conflict, Invalid
from core.ports.cluster import Sighting

LEADER = Sighting("a", "http://a", "leader", 9, "1", utc_now())
B = replace(LEADER, node_id="b", role="follower", position=7)
C = replace(B, node_id="c", position=8)


def choose(to: str | None, *others: Sighting) -> str:
    return choose_successor(to, "a", [LEADER, *others], lease_s=5)


def test_the_live_node_that_is_furthest_is_chosen() -> None:
    assert choose(None, B, C) == "c"
    assert choose(None, B, replace(C, age_s=5.0)) == "b"
    assert choose(None, B, replace(C, may_lead=False)) == "b"
    assert choose("b", B, C) == "b"


@pytest.mark.parametrize("to", ["b", None])
def test_a_node_that_could_not_lead_is_not_chosen(to: str | None) -> None:
    for unable in (replace(B, age_s=5.0), replace(B, may_lead=False)):
        with pytest.raises(Conflict):
            choose(to, unable)


def test_the_leader_and_unknown_nodes_are_refused() -> None:
    with pytest.raises(Conflict, match="leads already"):
        choose("a", B)
    with pytest.raises(Invalid, match="GET /cluster lists the nodes"):
        choose("x", B)
