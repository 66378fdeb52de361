"""Durability of a COMMIT, as PostgreSQL's settings and standbys promise it."""

from core.adapters.postgres.connections.rows import Connection, fetch
from core.domain.errors import StorageUnavailable
from core.ports.store import Durability, DurabilityLevel, DurabilityState

_READ = """
SELECT current_setting('fsync'), current_setting('synchronous_commit'),
    current_setting('synchronous_standby_names') <> '',
    count(*) FILTER (WHERE coalesce(state, 'hidden') <> 'backup'),
    count(*) FILTER (WHERE coalesce(sync_state, 'hidden') IN ('sync', 'quorum', 'hidden'))
FROM pg_stat_replication
"""
_MISSING = "No synchronous standby is connected: writes wait for one."
_CONFIRMED_BY_STANDBY = ("on", "remote_apply")
"""The values of `synchronous_commit` with which a standby has the commit on its disk."""


def to_synchronous_commit(durability: Durability, server_s: str) -> str:
    """Return the value for a session that writes; with `full` the server decides on standbys."""
    if durability == "relaxed":
        return "off"
    return "on" if server_s == "off" else server_s


def read_durability(connection: Connection, durability: Durability) -> DurabilityState:
    """Read the settings that writes have, and the standbys.

    Raises:
        psycopg.Error: the database can't be read.
    """
    ((fsync, server_s, waits, standbys, synchronous),) = fetch(connection, _READ)
    commit = to_synchronous_commit(durability, server_s)
    problem = _problem(fsync, commit, waits=waits)
    if problem is None:
        missing = None if synchronous else _MISSING
        return DurabilityState("synchronous", missing)
    level: DurabilityLevel = "asynchronous" if standbys or waits else "local"
    return DurabilityState(level, problem)


def _problem(fsync: str, commit: str, *, waits: bool) -> str | None:
    """Return why a commit is not synchronous, and what to do; `None` if it is."""
    if fsync == "off":
        return "Set fsync = on in PostgreSQL: without it a power cut destroys the database."
    if commit == "off":
        return "Set NALANDA_DURABILITY=full: relaxed writes do not even wait for the disk."
    if commit not in _CONFIRMED_BY_STANDBY:
        return f"Set synchronous_commit = on in PostgreSQL: it is {commit}."
    if not waits:
        return (
            "Set synchronous_standby_names in PostgreSQL, for example to 'ANY 1 (*)':"
            " a commit waits for no standby."
        )
    return None


def refusal(state: DurabilityState) -> StorageUnavailable:
    """Return the error of a write that has to be synchronous."""
    return StorageUnavailable(
        f"Writes have to be synchronous (NALANDA_REQUIRE_SYNCHRONOUS), and are {state.level}."
        f" {state.problem or 'Try again.'}"
    )
