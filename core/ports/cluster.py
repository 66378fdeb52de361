"""The port of a cluster's record: the lease on the writing, and the nodes that have been seen.

Times are judged by the database's clock, or by the caller's monotonic one; no wall clock of a node
matters. Every call ends within a time limit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Role: TypeAlias = Literal["leader", "follower", "reader"]


@dataclass(frozen=True, slots=True)
class Node:
    """A process that serves: `id` is its data directory's, `incarnation` is new at each start.

    `address` is the URL at which other nodes reach it.
    """

    id: str
    incarnation: str
    address: str
    version: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease on the writing as it was read; `node_id` is `None` once it is released.

    The holder counts its `renewals`, and promises to be leader for `length_s` after each. Only the
    `successor` may take a released lease before it expires.
    """

    epoch: int
    node_id: str | None
    incarnation: str | None
    address: str
    renewals: int
    length_s: float
    successor: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A node, as it last reported itself."""

    node_id: str
    address: str
    role: Role
    position: int
    version: str
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """The lease, the position of the record and the nodes, at one moment."""

    lease: Lease
    position: int
    nodes: tuple[Sighting, ...]


class ClusterRecord(Protocol):
    """The lease and the nodes in the database.

    Each method raises `Unavailable` if the database can't be reached, or does not answer in time.
    """

    def look(self) -> Look: ...

    def register(self, node: Node, role: Role, position: int) -> None:
        """Record a node that starts, in place of an earlier process with its id."""
        ...

    def report(self, node: Node, role: Role, position: int) -> bool:
        """Record that the node lives; return `False` if another process has its id."""
        ...

    def claim(self, node: Node, length_s: float) -> Lease:
        """Take the lease of the present epoch from any holder."""
        ...

    def renew(self, node: Node, epoch: int, length_s: float) -> bool:
        """Renew the node's lease of this epoch; return `False` if it is no longer the node's."""
        ...

    def release(self, node: Node, epoch: int) -> None:
        """Give the lease back, if it is the node's."""
        ...

    def close(self) -> None: ...
