"""Models of a server."""

from typing import Any

from nalanda._models.base import Model


class Version(Model):
    """A server's version; `instance_id` identifies its database (`None` from older servers)."""

    version: str
    instance_id: str | None = None


class Readiness(Model):
    """The readiness of the server and of each of its parts."""

    ready: bool
    checks: dict[str, Any] = {}
