"""How the server is, on the wire."""

from typing import Literal

from api.wire.base import Answer


class Liveness(Answer):
    status: Literal["ok"]


class Readiness(Answer):
    """`checks` says of each part whether it is ok; `temporal` is not needed to be ready."""

    ready: bool
    checks: dict[str, str]


class Checkpoint(Answer):
    """`position`: that of the newest checkpoint; null where nothing was ever written."""

    position: int | None


class Version(Answer):
    """`instance_id` is the database's: servers with the same one answer the same questions."""

    version: str
    instance_id: str
