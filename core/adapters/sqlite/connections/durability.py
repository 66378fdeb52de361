"""Durability of a write to a SQLite file, which has no standby."""

from core.domain.errors import StorageUnavailable
from core.ports.store import DurabilityState

_NO_STANDBY = (
    "SQLite has no standby: set NALANDA_DATABASE_URL to a PostgreSQL database that has one."
)
LOCAL = DurabilityState("local", _NO_STANDBY)


def refusal() -> StorageUnavailable:
    """Return the error of a write that has to be synchronous."""
    return StorageUnavailable(
        f"Writes have to be synchronous (NALANDA_REQUIRE_SYNCHRONOUS). {_NO_STANDBY}"
    )
