"""The port of a cluster's record: the lease on the writing, and the nodes that have been seen.

Times are judged by the database's clock, or by the caller's monotonic one; no wall clock of a node
matters. Every call ends within a time limit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Role: TypeAlias = Literal["leader", "follower", "reader"]


@dataclass(frozen=True, slots=True)
class Node:
    """A process that serves: `id` is its data directory's, `incarnation` is new at each start.

    `address` is the URL at which other nodes reach it. `capacity_bytes`: the room for the libraries
    that are placed on it; `None`: it holds all of them.
    """

    id: str
    incarnation: str
    address: str
    version: str
    capacity_bytes: int | None = None


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
class Term:
    """An epoch that a node has begun, and the row of the fence at its beginning."""

    epoch: int
    position: int
    keeps_history: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """A node, as it last reported itself; `age_s` is the time since, by the database's clock.

    `holdings`: the ids of the libraries that it holds; `None`: all of them.
    """

    node_id: str
    address: str
    role: Role
    position: int
    version: str
    last_seen_at: datetime
    may_lead: bool = True
    age_s: float = 0.0
    capacity_bytes: int | None = None
    holdings: frozenset[str] | None = None

    def holds(self, library_id: str) -> bool:
        return self.holdings is None or library_id in self.holdings


@dataclass(frozen=True, slots=True)
class Look:
    """The lease, the position of the record and the nodes, at one moment.

    `problem` is what keeps a node with this program from leading, and what to do.
    """

    lease: Lease
    position: int
    nodes: tuple[Sighting, ...]
    problem: str | None = None


class ClusterRecord(Protocol):
    """The lease and the nodes in the database.

    Each method raises `Unavailable` if the database can't be reached, or does not answer in time.
    """

    def look(self) -> Look: ...

    def register(self, node: Node, role: Role, position: int, *, may_lead: bool) -> None:
        """Record a node that starts, in place of an earlier process with its id.

        A node with a capacity holds no library yet.
        """
        ...

    def publish_holdings(self, node: Node, library_ids: Collection[str]) -> None:
        """Record the libraries that a node with a capacity holds."""
        ...

    def report(self, node: Node, role: Role, position: int, *, may_lead: bool) -> bool:
        """Record that the node lives; return `False` if another process has its id."""
        ...

    def take(self, node: Node, seen: Lease, length_s: float) -> Term | None:
        """Take the lease and begin the next epoch; return `None` if the lease may not be taken.

        It may be taken if it is still as the node has `seen` it, and if it is released, the node's
        own, or expired by the database's clock as well. Sessions of earlier epochs that are still
        writing are ended.
        """
        ...

    def renew(self, node: Node, epoch: int, length_s: float) -> bool:
        """Renew the node's lease of this epoch; return `False` if it is no longer the node's."""
        ...

    def release(self, node: Node, epoch: int, successor: str | None) -> None:
        """Give the lease back, if it is the node's; for its length only `successor` may take it."""
        ...

    def offer_again(self, epoch: int, successor: str, to: str | None) -> None:
        """Offer a lease that `successor` has not taken to another node, or to any."""
        ...

    def close(self) -> None: ...
