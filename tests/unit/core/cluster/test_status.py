"""The log is kept for the nodes that were seen lately."""

from core.adapters.clock import utc_now
from core.cluster.status import LOG_KEPT_S, ClusterStatus, followed_from
from core.ports.cluster import Sighting


def a_node(position: int, age_s: float) -> Sighting:
    name = f"n{position}"
    return Sighting(name, f"http://{name}", "follower", position, "1.0", utc_now(), True, age_s)


def a_status(*nodes: Sighting) -> ClusterStatus:
    return ClusterStatus("n9", "leader", 1, None, nodes, recorded=9)


def test_the_slowest_node_decides() -> None:
    assert followed_from(a_status(a_node(9, 0), a_node(4, 60), a_node(7, 1))) == 4


def test_a_node_that_is_gone_keeps_no_log() -> None:
    assert followed_from(a_status(a_node(9, 0), a_node(4, LOG_KEPT_S + 1))) == 9


def test_without_nodes_nobody_follows() -> None:
    assert followed_from(a_status()) == 9
