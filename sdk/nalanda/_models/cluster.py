"""Models of a cluster."""

from datetime import datetime
from typing import Literal

from nalanda._models.base import Model

Role = Literal["leader", "follower", "reader"]
Durability = Literal["local", "asynchronous", "synchronous"]


class ClusterLeader(Model):
    """The node that leads, and the URL at which other nodes reach it."""

    node_id: str
    address: str


class ClusterNode(Model):
    """A node as it was last seen; `lag` is the number of writes that it lacked.

    `libraries`: the ids of those that it holds, or `None` if it holds all. `capacity_bytes`: the
    room for them.
    """

    node_id: str
    address: str
    role: Role
    position: int
    lag: int
    last_seen_at: datetime
    capacity_bytes: int | None = None
    libraries: list[str] | None = None


class Cluster(Model):
    """The nodes of a database, as the node `node_id` knows them; no `leader`: none leads.

    `digest`: that of the node's state at `position`, or of one library; `None` while it is
    computed, and where the node does not hold all libraries. `durability`: the disks that have an
    acknowledged write, or `None` if the database does not say so.
    """

    node_id: str
    role: Role
    epoch: int
    position: int
    digest: str | None = None
    durability: Durability | None = None
    leader: ClusterLeader | None = None
    nodes: list[ClusterNode]


class HandOver(Model):
    """A hand-over to the node `to`, which ends the epoch `epoch`."""

    to: str
    epoch: int
