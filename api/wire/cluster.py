"""Wire models of the cluster."""

from datetime import datetime

from pydantic import ConfigDict, Field

from api.wire.base import RequestModel, ResponseModel
from core.ports.cluster import Role
from core.ports.store import DurabilityLevel


class LeaderResponse(ResponseModel):
    node_id: str
    address: str


class NodeResponse(ResponseModel):
    """A node; `lag` is the number of writes that it lacks, as of `last_seen_at`.

    `libraries`: the ids of those that it holds; null: all. `capacity_bytes`: the room for them.
    """

    node_id: str
    address: str
    role: Role
    position: int
    lag: int
    last_seen_at: datetime
    capacity_bytes: int | None
    libraries: list[str] | None


class HandOverRequest(RequestModel):
    """The id of the node that is to lead; absent: the one with the highest position."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "another-node"}]})

    to: str | None = Field(default=None, min_length=1, max_length=128)


class HandOverResponse(ResponseModel):
    """The id of the node that the lease is offered to, and the epoch that ends with it."""

    to: str
    epoch: int


class NewestCheckpoint(ResponseModel):
    """The file name of a node's newest checkpoint, or null before the first one."""

    name: str | None


class ClusterResponse(ResponseModel):
    """The cluster as this node knows it; `leader` is null while no node holds the lease.

    `digest`: that of the node's state at `position`, or of one library, equal on all nodes that
    hold it; null while it is computed, and where the node does not hold all libraries.
    """

    node_id: str
    role: Role
    epoch: int
    position: int
    digest: str | None
    durability: DurabilityLevel | None
    leader: LeaderResponse | None
    nodes: list[NodeResponse]
