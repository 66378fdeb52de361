"""Nodes of a cluster in one process, each with its own store, index and data directory."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.adapters.postgres import PostgresStore
from core.adapters.postgres.cluster import PostgresClusterRecord
from core.adapters.postgres.connections.database import Database
from core.cluster.member import BEATS, Member, RolePolicy
from core.cluster.node_id import node_of
from core.cluster.placement import Placement
from core.cluster.rebalancer import Rebalancer
from core.domain.errors import NalandaError
from core.replication.follower import Follower
from core.replication.opening import open_catalog
from tests.samples import a_library
from tests.waiting import until

LEASE_S = 3.0
ELECTED_S = 90.0
"""Many leases: a loaded machine may renew late, and then elect again."""


class ClusterNode:
    """A node that a test starts, cuts off and closes."""

    def __init__(
        self,
        url: str,
        data_dir: Path,
        *,
        policy: RolePolicy = "auto",
        address: str = "",
        replication_factor: int | None = None,
    ) -> None:
        database = Database(url)
        self.store = PostgresStore(database, data_dir, follows=True)
        self.node = node_of(data_dir, address or f"http://{data_dir.name}:8000", "1.0")
        record = PostgresClusterRecord(database, LEASE_S / BEATS)
        placement = None
        if replication_factor is not None:
            self.node = replace(self.node, capacity_bytes=1)
            placement = Placement(self.node, replication_factor, grace_s=LEASE_S, settled_s=0.5)
            placement.note(record.look().nodes)
        holds = None if placement is None else placement.holds
        checkpoints = data_dir / "checkpoints"
        checkpoints.mkdir(exist_ok=True)
        self.catalog, _ = open_catalog(self.store, checkpoints, holds)
        self.follower = Follower(self.store, self.catalog, holds=holds or (lambda _: True))
        self.follower.start()
        self.rebalancer: Rebalancer | None = None
        self.member = Member(
            self.node,
            record,
            self.store,
            lambda: self.catalog.position,
            lease_s=LEASE_S,
            policy=policy,
        )
        try:
            self.member.start()
        except BaseException:
            self.close()
            raise
        if placement is not None:
            self.rebalancer = Rebalancer(
                self.node,
                placement,
                record,
                self.member,
                self.store,
                self.catalog,
                self.follower,
            )
            self.rebalancer.start()

    @property
    def id(self) -> str:
        return self.node.id

    def write(self, name: str) -> int:
        """Put a library; return the position of the write."""
        with self.store.write() as unit:
            unit.libraries.put(a_library(name))
            unit.commit()
        return unit.position

    def write_when_leading(self, name: str) -> int:
        """Put a library as soon as this node leads; return the position.

        A machine under load may elect again, so that a write is on record and is repeated.
        """
        positions: list[int] = []

        def succeeds() -> bool:
            with suppress(NalandaError):
                positions.append(self.write(name))
            return bool(positions)

        until(succeeds, ELECTED_S)
        return positions[0]

    def has(self, name: str) -> bool:
        return name in self.catalog.state.views

    def close(self) -> None:
        if self.rebalancer is not None:
            self.rebalancer.close()
        self.member.close()
        self.follower.close()
        self.store.close()


@contextmanager
def cluster(*nodes: tuple[str, Path]) -> Iterator[list[ClusterNode]]:
    """Start a node for each URL and data directory, in this order; the first one leads."""
    with ExitStack() as stack:
        started = []
        for url, data_dir in nodes:
            node = ClusterNode(url, data_dir)
            stack.callback(node.close)
            started.append(node)
        yield started


def until_leads(node: ClusterNode) -> None:
    until(lambda: node.member.leads, ELECTED_S)
