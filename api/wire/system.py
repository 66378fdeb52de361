"""Wire models of the server's state."""

from typing import Literal

from api.wire.base import ResponseModel
from core.ports.cluster import Role
from core.ports.store import DurabilityLevel


class Liveness(ResponseModel):
    status: Literal["ok"]


class Readiness(ResponseModel):
    """The state of each part of the server; `ready` depends on `storage` alone.

    `role` and `epoch`: see `GET /cluster`; a `reader` is a process that a node has started.
    `lag`: the writes that this process lacks; `lag_s`: the seconds since it lacked none.
    `durability` says which disks have an acknowledged write: the database's own (`local`), soon a
    standby's (`asynchronous`) or already a standby's (`synchronous`); null if it can't be read.
    """

    ready: bool
    role: Role
    epoch: int | None
    lag: int
    lag_s: float
    durability: DurabilityLevel | None
    checks: dict[str, str]


class Checkpoint(ResponseModel):
    """A checkpoint; `position` is the newest checkpoint's, or null before the first write."""

    position: int | None


class Version(ResponseModel):
    """Versions and identity; servers with the same `instance_id` serve the same database."""

    version: str
    instance_id: str
