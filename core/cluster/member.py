"""A node of a cluster: it says that it lives, and holds the lease if it leads."""

from collections.abc import Callable
from contextlib import suppress

from core.background_thread import BackgroundThread
from core.cluster.status import ClusterStatus, Leader
from core.domain.errors import NalandaError
from core.ports.cluster import ClusterRecord, Lease, Look, Node, Role

BEATS = 3
"""The renewals in the length of a lease."""


class Member:
    """The thread that renews the lease of a node that writes, and reports the node."""

    def __init__(
        self,
        node: Node,
        record: ClusterRecord,
        position: Callable[[], int],
        *,
        lease_s: float,
    ) -> None:
        """Take the lease.

        Raises:
            Unavailable: the database can't be reached.
        """
        self._node = node
        self._record = record
        self._position = position
        self._lease_s = lease_s
        self._epoch = record.claim(node, lease_s).epoch
        record.register(node, "leader", position())
        self._look = record.look()
        self._thread = BackgroundThread(
            "cluster",
            self.beat,
            failure="The lease can't be renewed; it will be tried again.",
            retry_s=lease_s / BEATS,
        )

    def start(self) -> None:
        self._thread.start()

    def beat(self) -> float:
        """Renew the lease and report the node; return the seconds until the next time."""
        role: Role = "leader"
        if not self._record.renew(self._node, self._epoch, self._lease_s):
            role = "follower"
        self._record.report(self._node, role, self._position())
        self._look = self._record.look()
        return self._lease_s / BEATS

    def status(self) -> ClusterStatus:
        look = self._look
        lease = look.lease
        is_mine = _holds(self._node, lease)
        return ClusterStatus(
            self._node.id,
            "leader" if is_mine else "follower",
            lease.epoch,
            leader_of(look),
            look.nodes,
            max(look.position, self._position()) if is_mine else look.position,
        )

    def close(self) -> None:
        """Stop, and release the lease, so that another node can lead at once."""
        self._thread.close()
        with suppress(NalandaError):  # then it expires
            self._record.release(self._node, self._epoch)
        self._record.close()


def leader_of(look: Look) -> Leader | None:
    lease = look.lease
    return Leader(lease.node_id, lease.address) if lease.node_id else None


def _holds(node: Node, lease: Lease) -> bool:
    return (lease.node_id, lease.incarnation) == (node.id, node.incarnation)
