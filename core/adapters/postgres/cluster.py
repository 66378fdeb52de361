"""The lease and the nodes of a cluster, in PostgreSQL."""

import threading
from collections.abc import Collection, Mapping
from typing import Any, LiteralString

import psycopg

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.errors import postgres_errors
from core.adapters.postgres.connections.migrate import MIGRATIONS, newer_format
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.time_limit import time_limit
from core.adapters.sql.columns import Row
from core.domain.errors import Unavailable
from core.ports.cluster import Lease, Look, Node, Role, Sighting, Term

_FORGET_AFTER = "1 hour"
"""The time after which a node that was not seen is deleted, as PostgreSQL writes it."""

_LOOK = """
SELECT coalesce(lease.epoch, 0), CASE WHEN only_row IS NULL THEN '' ELSE node_id END, incarnation,
    coalesce(address, ''), coalesce(renewals, 0), coalesce(length_s, 5), successor, position,
    (SELECT max(number) FROM nalanda_format)
FROM (SELECT position FROM cluster) AS record LEFT JOIN lease ON true
"""
_NODES = """
SELECT node_id, address, role, position, version, last_seen_at, may_lead,
    extract(epoch FROM clock_timestamp() - last_seen_at)::double precision, capacity_bytes,
    holdings_revision::text
FROM nodes ORDER BY node_id
"""
_HOLDINGS = "SELECT holdings_revision::text, holdings FROM nodes WHERE node_id = ANY(%s)"
_PUBLISH = """
UPDATE nodes SET holdings = %s, holdings_revision = gen_random_uuid()
WHERE node_id = %s AND incarnation = %s
"""
_FORGET = "DELETE FROM nodes WHERE last_seen_at < clock_timestamp() - %s::interval"
_REGISTER = """
INSERT INTO nodes (node_id, incarnation, address, role, position, version, may_lead,
    capacity_bytes, last_seen_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp())
ON CONFLICT (node_id) DO UPDATE SET incarnation = excluded.incarnation, address = excluded.address,
    role = excluded.role, position = excluded.position, version = excluded.version,
    may_lead = excluded.may_lead, capacity_bytes = excluded.capacity_bytes,
    last_seen_at = excluded.last_seen_at
"""
_REPORT = _REGISTER + " WHERE nodes.incarnation = excluded.incarnation RETURNING true"
_TAKE = "SELECT epoch, position, keeps_history FROM take_lease(%s, %s, %s, %s, %s, %s)"
# A process that has stopped inside a write holds the row of `cluster`, and so the epoch.
_END_WRITERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE granted AND pid <> pg_backend_pid() AND relation = 'cluster'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode IN ('RowShareLock', 'RowExclusiveLock')
    AND EXISTS (SELECT FROM lease WHERE epoch = %s AND renewals = %s)
"""
_RENEW = """
UPDATE lease SET renewals = renewals + 1, address = %s, length_s = %s,
    expires_at = clock_timestamp() + %s * interval '1 second'
WHERE node_id = %s AND incarnation = %s AND epoch = %s AND epoch = (SELECT epoch FROM cluster)
RETURNING true
"""
_RELEASE = """
UPDATE lease SET node_id = NULL, incarnation = NULL, renewals = renewals + 1, successor = %s,
    expires_at = clock_timestamp() + length_s * interval '1 second'
WHERE node_id = %s AND incarnation = %s AND epoch = %s
RETURNING true
"""
_OFFER_AGAIN = """
UPDATE lease SET successor = %s, renewals = renewals + 1
WHERE node_id IS NULL AND epoch = %s AND successor = %s
"""


class PostgresClusterRecord:
    """A `ClusterRecord` with a connection of its own, which is opened again after an error."""

    def __init__(self, database: Database, limit_s: float) -> None:
        """Connect at the first call; `limit_s` is the limit of a call, without its connecting."""
        self._database = database
        self._limit_s = limit_s
        self._turn = threading.Lock()
        # Guarded by `_turn`.
        self._connection: Connection | None = None
        # The last that were read, by their revision; replaced as a whole.
        self._holdings: Mapping[str, frozenset[str] | None] = {}

    def look(self) -> Look:
        ((*lease, position, number),) = self._fetch(_LOOK)
        nodes = self._nodes()
        problem = newer_format(number) if number > len(MIGRATIONS) else None
        return Look(Lease(*lease), position, nodes, problem)

    def register(self, node: Node, role: Role, position: int, *, may_lead: bool) -> None:
        self._fetch(_FORGET, _FORGET_AFTER)
        self._fetch(_REGISTER, *_row(node, role, position, may_lead=may_lead))
        holdings: list[str] | None = None if node.capacity_bytes is None else []
        self._fetch(_PUBLISH, holdings, node.id, node.incarnation)

    def publish_holdings(self, node: Node, library_ids: Collection[str]) -> None:
        self._fetch(_PUBLISH, sorted(library_ids), node.id, node.incarnation)

    def report(self, node: Node, role: Role, position: int, *, may_lead: bool) -> bool:
        return bool(self._fetch(_REPORT, *_row(node, role, position, may_lead=may_lead)))

    def take(self, node: Node, seen: Lease, length_s: float) -> Term | None:
        try:
            return self._take(node, seen, length_s)
        except Unavailable:
            self._fetch(_END_WRITERS, seen.epoch, seen.renewals)
            return self._take(node, seen, length_s)

    def _nodes(self) -> tuple[Sighting, ...]:
        rows = self._fetch(_NODES)
        changed = [row[0] for row in rows if row[-1] not in self._holdings]
        read = self._fetch(_HOLDINGS, changed) if changed else []
        known = {**self._holdings, **{revision: _ids(ids) for revision, ids in read}}
        # A node that has published again in between is read at the next look.
        held = {row[-1]: known[row[-1]] for row in rows if row[-1] in known}
        self._holdings = held
        none: frozenset[str] = frozenset()
        return tuple(Sighting(*row[:-1], *[held.get(row[-1], none)]) for row in rows)

    def _take(self, node: Node, seen: Lease, length_s: float) -> Term | None:
        taker = (node.id, node.incarnation, node.address, length_s)
        rows = self._fetch(_TAKE, *taker, seen.epoch, seen.renewals)
        return Term(*rows[0]) if rows else None

    def renew(self, node: Node, epoch: int, length_s: float) -> bool:
        bindings = (node.address, length_s, length_s, node.id, node.incarnation, epoch)
        return bool(self._fetch(_RENEW, *bindings))

    def release(self, node: Node, epoch: int, successor: str | None) -> None:
        self._fetch(_RELEASE, successor, node.id, node.incarnation, epoch)

    def offer_again(self, epoch: int, successor: str, to: str | None) -> None:
        self._fetch(_OFFER_AGAIN, to, epoch, successor)

    def close(self) -> None:
        with self._turn:
            self._disconnect()

    def _fetch(self, statement: LiteralString, *bindings: Any) -> list[Row]:
        """Run one statement, which is a transaction.

        Raises:
            Unavailable: the database can't be reached, or does not answer in time.
            StorageError: PostgreSQL reports another error.
        """
        with self._turn, postgres_errors():
            try:
                if self._connection is None:
                    self._connection = self._database.connect_with_limit(self._limit_s)
                with time_limit(self._connection, self._limit_s):
                    cursor = self._connection.execute(statement, bindings)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error:
                self._disconnect()
                raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _row(node: Node, role: Role, position: int, *, may_lead: bool) -> tuple[object, ...]:
    return (
        node.id,
        node.incarnation,
        node.address,
        role,
        position,
        node.version,
        may_lead,
        node.capacity_bytes,
    )


def _ids(holdings: list[str] | None) -> frozenset[str] | None:
    return None if holdings is None else frozenset(holdings)
