"""The state of a cluster, as one of its nodes knows it."""

from dataclasses import dataclass
from typing import Protocol

from core.adapters.clock import utc_now
from core.ports.cluster import Node, Role, Sighting
from core.ports.store import Store


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


class Cluster(Protocol):
    """The cluster of a process."""

    def start(self) -> None: ...

    def status(self) -> ClusterStatus: ...

    def close(self) -> None: ...


class LoneNode:
    """A node whose database no other node can reach: it always leads."""

    def __init__(self, node: Node, store: Store) -> None:
        self._node = node
        self._store = store

    def start(self) -> None:
        pass  # there is no lease

    def status(self) -> ClusterStatus:
        node, position = self._node, self._store.position
        now = utc_now()
        sighting = Sighting(node.id, node.address, "leader", position, node.version, now)
        leader = Leader(node.id, node.address)
        return ClusterStatus(node.id, "leader", self._store.epoch, leader, (sighting,), position)

    def close(self) -> None:
        pass
