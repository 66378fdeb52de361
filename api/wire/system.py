"""Wire models of the server's state."""

from typing import Literal

from api.wire.base import ResponseModel


class Liveness(ResponseModel):
    status: Literal["ok"]


class Readiness(ResponseModel):
    """The state of each part of the server; `ready` does not depend on Temporal and its workers."""

    ready: bool
    checks: dict[str, str]


class Checkpoint(ResponseModel):
    """A checkpoint; `position` is the newest checkpoint's, or null before the first write."""

    position: int | None


class Version(ResponseModel):
    """Versions and identity; servers with the same `instance_id` serve the same database."""

    version: str
    instance_id: str
