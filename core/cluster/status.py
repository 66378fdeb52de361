"""The state of a cluster, as one of its nodes knows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.adapters.clock import utc_now
from core.cluster.successor import unknown_node
from core.domain.errors import Conflict
from core.ports.cluster import Node, Role, Sighting
from core.ports.store import Store

LOG_KEPT_S = 3600.0
"""The time for which the log is kept for a node that is not seen."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The node that holds the lease, and the URL at which other nodes reach it."""

    node_id: str
    address: str


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A node's role, and what it has last read of the others; no `leader`: none is known."""

    node_id: str
    role: Role
    epoch: int
    leader: Leader | None
    nodes: tuple[Sighting, ...]
    recorded: int
    """The position of the record."""
    elections: int = 0
    """The epochs that this process has seen begin."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A hand-over to the node `to`, which ends the epoch `epoch`."""

    to: str
    epoch: int


def followed_from(status: ClusterStatus) -> int:
    """Return the lowest position of the nodes that were seen in the last `LOG_KEPT_S`."""
    seen = [node.position for node in status.nodes if node.age_s < LOG_KEPT_S]
    return min(seen, default=status.recorded)


class Cluster(Protocol):
    """The cluster of a process."""

    @property
    def leads(self) -> bool:
        """Return whether this node leads now: a proof, at this moment, that no other one does."""
        ...

    @property
    def leader(self) -> Leader | None:
        """Return the node that was last seen to hold the lease; it may have ended since."""
        ...

    @property
    def leader_url(self) -> str | None:
        """Return the URL of the node that holds the lease, if that is another one."""
        ...

    def is_alive(self, url: str) -> bool:
        """Return whether the node at a URL has been seen lately."""
        ...

    def holders_of(self, library_id: str) -> Sequence[str]:
        """Return the URLs of other live nodes that hold a library, the leader last.

        Each call begins with another one of those on which it is placed.
        """
        ...

    @property
    def problem(self) -> str | None:
        """Return what keeps this node from ever leading, and what to do."""
        ...

    def start(self) -> None: ...

    def hand_over(self, to: str | None) -> HandOver:
        """Commit the writes that have begun, and offer the lease to another node.

        `to`: its id; `None` chooses the live one with the highest position. This node leads again
        if the other one does not take the lease in time.

        Raises:
            Invalid: there is no such node.
            Conflict: the node leads already, may only follow or is not alive.
            NotLeading: this node does not lead.
            Unavailable: the database can't be reached.
        """
        ...

    def leave(self) -> None:
        """Let another node lead, and return once it does, before this process stops."""
        ...

    def status(self) -> ClusterStatus: ...

    def close(self) -> None: ...


class LoneNode:
    """A node whose database no other node can reach: it always leads."""

    leads = True
    leader_url = None
    problem = None

    def __init__(self, node: Node, store: Store) -> None:
        self._node = node
        self._store = store

    @property
    def leader(self) -> Leader:
        return Leader(self._node.id, self._node.address)

    def start(self) -> None:
        pass  # there is no lease

    def is_alive(self, url: str) -> bool:
        return url == self._node.address

    def holders_of(self, library_id: str) -> Sequence[str]:  # noqa: ARG002
        return ()

    def hand_over(self, to: str | None) -> HandOver:
        if to not in {None, self._node.id}:
            raise unknown_node(str(to))
        raise Conflict("On SQLite there is one node, which always leads.")

    def leave(self) -> None:
        pass  # no other node can lead

    def status(self) -> ClusterStatus:
        node, position = self._node, self._store.position
        now = utc_now()
        sighting = Sighting(node.id, node.address, "leader", position, node.version, now)
        epoch = self._store.epoch
        return ClusterStatus(node.id, "leader", epoch, self.leader, (sighting,), position)

    def close(self) -> None:
        pass
