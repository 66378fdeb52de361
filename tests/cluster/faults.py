"""The faults of a round, each of which ends before the function does."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.cluster.clients import Recorder
from tests.cluster.clock import WallClock
from tests.cluster.nodes import Node
from tests.cluster.places import Network, Place
from tests.cluster.servers import ReplicatedServers
from tests.waiting import until

RECOVERED_S = 180.0
_WRITES = 30
"""Acknowledged writes that show that the clients can write again."""
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes on a primary and a standby.

    `network` is `None` where all is on one machine; `clocks`: of each node and of PostgreSQL.
    `recorder` has what the clients of the round have done.
    """

    servers: ReplicatedServers
    nodes: Sequence[Node]
    lease_s: float
    network: Network | None = None
    clocks: Mapping[str, WallClock] | None = None
    recorder: Recorder = field(default_factory=Recorder)

    def wait_for_writes(self) -> None:
        """Wait until some more writes have been acknowledged."""
        enough = len(self.recorder.acknowledged) + _WRITES
        until(lambda: len(self.recorder.acknowledged) >= enough, RECOVERED_S)

    def leader(self) -> Node:
        """Return the node that leads, once there is one."""
        leaders: list[Node] = []

        def is_known() -> bool:
            leaders[:] = [node for node in self.nodes if node.leads()]
            return len(leaders) == 1

        until(is_known, RECOVERED_S)
        return leaders[0]

    def follower(self) -> Node:
        leader = self.leader()
        return next(node for node in self.nodes if node is not leader)

    def wait_for_another(self, leader: Node) -> None:
        """Wait until another node leads."""
        others = [node for node in self.nodes if node is not leader]
        until(lambda: any(node.leads() for node in others), RECOVERED_S)

    @property
    def databases(self) -> Sequence[Place]:
        return self.servers.places

    @contextmanager
    def cut(self, *directions: tuple[Place, Place]) -> Iterator[None]:
        """Drop packets from each source to its target until the end of the block."""
        assert self.network is not None
        for source, target in directions:
            self.network.cut(source, target)
        try:
            yield
        finally:
            self.network.restore()


Fault: TypeAlias = Callable[[Cluster], None]


def kill_leader(cluster: Cluster) -> None:
    leader = cluster.leader()
    leader.kill()
    cluster.wait_for_writes()
    leader.start()


def kill_follower(cluster: Cluster) -> None:
    follower = cluster.follower()
    follower.kill()
    cluster.wait_for_writes()
    follower.start()


def pause_leader(cluster: Cluster) -> None:
    """Pause the leader past its lease, until another node leads."""
    leader = cluster.leader()
    leader.pause()
    try:
        cluster.wait_for_another(leader)
        cluster.wait_for_writes()
    finally:
        leader.resume()


def stop_leader(cluster: Cluster) -> None:
    leader = cluster.leader()
    leader.stop()
    cluster.wait_for_writes()
    leader.start()


def cut_leader_from_database(cluster: Cluster) -> None:
    leader = cluster.leader()
    with cluster.cut(*_both_ways(leader.place, cluster.databases)):
        cluster.wait_for_another(leader)
        cluster.wait_for_writes()


def cut_leader_to_database(cluster: Cluster) -> None:
    """Drop what the leader sends; what the database sends arrives."""
    leader = cluster.leader()
    with cluster.cut(*[(leader.place, database) for database in cluster.databases]):
        cluster.wait_for_another(leader)
        cluster.wait_for_writes()


def cut_database_to_leader(cluster: Cluster) -> None:
    """Drop what the database sends: it commits what the leader does not hear of."""
    leader = cluster.leader()
    with cluster.cut(*[(database, leader.place) for database in cluster.databases]):
        cluster.wait_for_another(leader)
        cluster.wait_for_writes()


def cut_follower_from_database(cluster: Cluster) -> None:
    follower = cluster.follower()
    with cluster.cut(*_both_ways(follower.place, cluster.databases)):
        time.sleep(cluster.lease_s)  # in which the others must not notice
        cluster.wait_for_writes()


def cut_leader_from_peers(cluster: Cluster) -> None:
    """Cut the leader from the other nodes, which can't pass writes on to it."""
    leader = cluster.leader()
    others = [node.place for node in cluster.nodes if node is not leader]
    with cluster.cut(*_both_ways(leader.place, others)):
        time.sleep(cluster.lease_s)
        cluster.wait_for_writes()


def cut_leader_from_clients(cluster: Cluster) -> None:
    """Cut the leader from the clients, which write through the other nodes."""
    assert cluster.network is not None
    leader = cluster.leader()
    with cluster.cut(*_both_ways(leader.place, [cluster.network.clients])):
        time.sleep(cluster.lease_s)
        cluster.wait_for_writes()


def cut_leader_off(cluster: Cluster) -> None:
    """Cut the leader from the database, from the other nodes and from the clients."""
    assert cluster.network is not None
    leader = cluster.leader()
    others = [node.place for node in cluster.nodes if node is not leader]
    rest = [*cluster.databases, *others, cluster.network.clients]
    with cluster.cut(*_both_ways(leader.place, rest)):
        cluster.wait_for_another(leader)
        cluster.wait_for_writes()


def jump_leader_clock(cluster: Cluster) -> None:
    """Let the leader's wall clock jump an hour ahead, two hours back, and to the true time."""
    assert cluster.clocks is not None
    clock = cluster.clocks[cluster.leader().name]
    _jump(cluster, clock)


def jump_database_clock(cluster: Cluster) -> None:
    """Let PostgreSQL's wall clock jump in the same way, by which leases expire."""
    assert cluster.clocks is not None
    _jump(cluster, cluster.clocks["postgresql"])


def end_sessions(cluster: Cluster) -> None:
    """End the sessions of the database, amid their writes."""
    cluster.servers.primary.ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = 'nalanda' AND pid <> pg_backend_pid()"
    )


def restart_database(cluster: Cluster) -> None:
    """Kill the primary, and start it again."""
    cluster.servers.primary.kill()
    cluster.servers.primary.start()


def lose_standbys(cluster: Cluster) -> None:
    """Kill the standbys past a lease, without which no write is acknowledged."""
    for standby in cluster.servers.standbys:
        standby.kill()
    time.sleep(cluster.lease_s)
    for standby in cluster.servers.standbys:
        standby.start()


def switch_database(cluster: Cluster) -> None:
    """Stop the primary once its standbys have all, and promote one."""
    cluster.servers.primary.stop()
    _promote(cluster)


def fail_database_over(cluster: Cluster) -> None:
    """Kill the primary, and promote a standby."""
    cluster.servers.primary.kill()
    _promote(cluster)


def cut_primary_off(cluster: Cluster) -> None:
    """Cut the primary from all others, and promote a standby while the primary still runs."""
    assert cluster.network is not None
    primary, *others = cluster.databases
    rest = [*others, *[node.place for node in cluster.nodes], cluster.network.clients]
    with cluster.cut(*_both_ways(primary, rest)):
        deposed = cluster.servers.promote()
        cluster.wait_for_writes()
        deposed.kill()
    cluster.servers.rejoin(deposed)


def lose_writes(cluster: Cluster) -> None:
    """Kill a primary whose asynchronous standbys lack writes, and promote one."""
    cluster.servers.stop_streaming()
    cluster.wait_for_writes()
    fail_database_over(cluster)


def _promote(cluster: Cluster) -> None:
    before = cluster.servers.promote()
    cluster.wait_for_writes()
    cluster.servers.rejoin(before)


def _both_ways(place: Place, others: Sequence[Place]) -> Sequence[tuple[Place, Place]]:
    return [pair for other in others for pair in ((place, other), (other, place))]


def _jump(cluster: Cluster, clock: WallClock) -> None:
    for seconds in (_HOUR_S, -_HOUR_S, 0):
        clock.set_ahead(seconds)
        time.sleep(cluster.lease_s / 2)
        cluster.wait_for_writes()


ANYWHERE: Mapping[str, Fault] = {
    "kill-leader": kill_leader,
    "fail-database-over": fail_database_over,
    "pause-leader": pause_leader,
    "switch-database": switch_database,
    "stop-leader": stop_leader,
    "restart-database": restart_database,
    "kill-follower": kill_follower,
    "end-sessions": end_sessions,
    "lose-standbys": lose_standbys,
}
"""The faults that need no network of their own."""

IN_A_NETWORK: Mapping[str, Fault] = {
    "cut-leader-from-database": cut_leader_from_database,
    "cut-primary-off": cut_primary_off,
    "cut-leader-to-database": cut_leader_to_database,
    "cut-database-to-leader": cut_database_to_leader,
    "cut-follower-from-database": cut_follower_from_database,
    "cut-leader-from-peers": cut_leader_from_peers,
    "cut-leader-from-clients": cut_leader_from_clients,
    "cut-leader-off": cut_leader_off,
}

OF_CLOCKS: Mapping[str, Fault] = {
    "jump-leader-clock": jump_leader_clock,
    "jump-database-clock": jump_database_clock,
}

LOSING: Mapping[str, Fault] = {"lose-writes": lose_writes}
"""The faults of an asynchronous standby, after which acknowledged writes are missing."""
