"""The PostgreSQL cluster and the timeline that a writer writes to, to notice a failover."""

import logging
from dataclasses import dataclass

from core.adapters.postgres.connections.rows import Connection, fetch

_READ = "SELECT system_identifier, timeline FROM current_origin()"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """PostgreSQL's system identifier and timeline; `None` where they can not be read.

    A standby has the identifier of its primary, and begins a new timeline when it is promoted.
    """

    system_identifier: int | None
    timeline: int | None


def read_origin(connection: Connection) -> Origin:
    """Read the origin of the server's next WAL record.

    Raises:
        psycopg.Error: the database can't be read.
    """
    return Origin(*fetch(connection, _READ)[0])


def log_change(before: Origin, now: Origin) -> None:
    """Log a warning if the database has failed over, or is another server's."""
    if _differ(before.system_identifier, now.system_identifier):
        _log.warning(
            "The database is on another PostgreSQL cluster: its system identifier was %s and is %s."
            " Writes go on only if no acknowledged write is missing there.",
            before.system_identifier,
            now.system_identifier,
        )
    elif _differ(before.timeline, now.timeline):
        _log.warning(
            "The database has failed over: its timeline was %s and is %s."
            " Writes go on only if no acknowledged write was lost.",
            before.timeline,
            now.timeline,
        )


def _differ(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and before != now
