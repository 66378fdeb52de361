"""A node of a cluster that follows: it says that it lives, and knows who leads."""

from collections.abc import Callable

from core.background_thread import BackgroundThread
from core.cluster.member import BEATS, leader_of
from core.cluster.status import ClusterStatus
from core.ports.cluster import ClusterRecord, Node


class Observer:
    """The thread that reports a node which follows, and reads who holds the lease."""

    def __init__(
        self, node: Node, record: ClusterRecord, position: Callable[[], int], *, lease_s: float
    ) -> None:
        """Register the node.

        Raises:
            Unavailable: the database can't be reached.
        """
        self._node = node
        self._record = record
        self._position = position
        self._pause_s = lease_s / BEATS
        record.register(node, "follower", position())
        self._look = record.look()
        self._thread = BackgroundThread(
            "cluster",
            self.beat,
            failure="The node can't be reported; it will be tried again.",
            retry_s=self._pause_s,
        )

    def start(self) -> None:
        self._thread.start()

    def beat(self) -> float:
        """Report the node and read the lease; return the seconds until the next time."""
        self._record.report(self._node, "follower", self._position())
        self._look = self._record.look()
        return self._pause_s

    def status(self) -> ClusterStatus:
        look = self._look
        leader = leader_of(look)
        return ClusterStatus(
            self._node.id, "follower", look.lease.epoch, leader, look.nodes, look.position
        )

    def close(self) -> None:
        self._thread.close()
        self._record.close()
