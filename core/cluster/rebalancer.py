"""Moves libraries between followers, so that each holds those that are placed on it.

A node that is to hold a library builds its index, and says so in the database. Only once all nodes
that are to hold the library say so does a node leave it that is not to. So at any time some node
serves the library; the leader, and each node that may lead, holds all libraries anyway.
"""

import logging
from collections.abc import Sequence

from core.background_thread import BackgroundThread
from core.cluster.placement import Placement
from core.cluster.status import Cluster
from core.domain.errors import NalandaError
from core.indexing.maintenance.merge_policy import next_job
from core.indexing.views.catalog import Catalog, CatalogState
from core.ports.cluster import ClusterRecord, Node, Sighting
from core.ports.store import Store
from core.replication.follower import Follower

POLL_S = 0.25
_RETRY_S = 1.0
_CLOSE_S = 1.0

_log = logging.getLogger(__name__)


class Rebalancer:
    """The thread that takes and leaves libraries, and records which ones the node holds."""

    def __init__(
        self,
        node: Node,
        placement: Placement,
        record: ClusterRecord,
        cluster: Cluster,
        store: Store,
        catalog: Catalog,
        follower: Follower,
    ) -> None:
        self._node = node
        self._placement = placement
        self._record = record
        self._cluster = cluster
        self._store = store
        self._catalog = catalog
        self._follower = follower
        self._published: frozenset[str] | None = None
        # A library that is taken counts as held once its segments are built.
        self._built = set(catalog.state.views)
        self._thread = BackgroundThread(
            "placement",
            self.tick,
            failure="A library could not be moved; it will be tried again.",
            retry_s=_RETRY_S,
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop; a build in progress is left to end by itself."""
        self._thread.close(_CLOSE_S)

    def tick(self) -> float:
        """Do what is due; return the seconds until the next time."""
        nodes = self._cluster.status().nodes
        self._placement.note(nodes)
        state = self._catalog.state
        try:
            self._publish(state)
            self._leave_surplus(state, nodes)
            self._take_next(state)
        except NalandaError as error:
            _log.warning("Libraries can't be moved for now: %s", error)
            return _RETRY_S
        return POLL_S

    def _publish(self, state: CatalogState) -> None:
        self._built &= set(state.views)
        for library_id, view in state.views.items():
            if library_id not in self._built and next_job(view, quiet=False) is None:
                self._built.add(library_id)
        holdings = frozenset(self._built)
        if holdings != self._published:
            self._record.publish_holdings(self._node, holdings)
            self._published = holdings

    def _leave_surplus(self, state: CatalogState, nodes: Sequence[Sighting]) -> None:
        """Leave the libraries of which all nodes that are to hold them have an index."""
        surplus = [id_ for id_ in state.views if not self._placement.holds(id_)]
        seen = {each.node_id: each for each in nodes if self._cluster.is_alive(each.address)}

        def is_held(library_id: str) -> bool:
            holders = [seen.get(id_) for id_ in self._placement.holders_of(library_id)]
            return all(each is not None and each.holds(library_id) for each in holders)

        if left := [id_ for id_ in surplus if is_held(id_)]:
            _log.info("%d libraries are left to other nodes.", len(left))
            self._follower.moves.release(left)
            self._follower.wake()

    def _take_next(self, state: CatalogState) -> None:
        """Build the next library that is to be held, unless a built one is still to be added."""
        if self._follower.moves.is_due:
            return
        for library_id, absent in state.elsewhere.items():
            if self._placement.holds(library_id):
                _log.info("The library %s is taken from other nodes.", library_id)
                self._follower.moves.build(self._store, absent)
                self._follower.wake()
                return
