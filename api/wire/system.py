"""Wire models of the server's state."""

from typing import Literal

from api.wire.base import ResponseModel
from core.ports.store import DurabilityLevel


class Liveness(ResponseModel):
    status: Literal["ok"]


class Readiness(ResponseModel):
    """The state of each part of the server; `ready` depends on `storage` alone.

    `durability` says which disks have an acknowledged write: the database's own (`local`), soon a
    standby's (`asynchronous`) or already a standby's (`synchronous`); null if it can't be read.
    """

    ready: bool
    durability: DurabilityLevel | None
    checks: dict[str, str]


class Checkpoint(ResponseModel):
    """A checkpoint; `position` is the newest checkpoint's, or null before the first write."""

    position: int | None


class Version(ResponseModel):
    """Versions and identity; servers with the same `instance_id` serve the same database."""

    version: str
    instance_id: str
