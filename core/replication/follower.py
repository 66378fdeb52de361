"""Keeps the catalog of a follower current: a node with a data directory of its own."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.domain.changes import Change
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.record import from_record, libraries_of
from core.indexing.views.view import LibraryView
from core.ports.store import FollowingStore, Snapshot
from core.replication.moves import Moves
from core.replication.tail import Tail

POLL_S = 0.02
"""The time between two looks at the position of the record."""

LEADER_LOOK_S = 1.0
"""The same in the process that writes, whose index has its writes without the log."""


@dataclass(frozen=True, slots=True)
class Lag:
    """The distance of a follower from the record.

    `entries`: the writes that it lacks, as of its last look. `seconds`: the time since it lacked
    none.
    """

    entries: int
    seconds: float


UNLIMITED = Lag(2**63, math.inf)


class Follower:
    """The thread that follows the log of a record that a process on another machine may write.

    A follower builds its own segments and makes its own checkpoints. Where the log does not go on
    from its state, it reads the whole record, and serves the state before in the meantime. `note`
    is called with each change. Beyond `max_lag` the follower has a problem. `holds`: whether a new
    library with this id is held here, and not on other nodes.
    """

    def __init__(
        self,
        store: FollowingStore,
        catalog: Catalog,
        *,
        note: Callable[[Change], None] = lambda _: None,
        max_lag: Lag = UNLIMITED,
        holds: Callable[[str], bool] = lambda _: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._max_lag = max_lag
        self._holds = holds
        self.moves = Moves()
        self._seen = catalog.position
        self._looked_as_leader_at = -math.inf
        self.tail = Tail(
            store,
            catalog,
            is_current=self._is_current,
            reload=self._reload,
            poll_s=POLL_S,
            note=note,
            holds=holds,
            moves=self.moves,
            clock=clock,
        )

    def start(self) -> None:
        self.tail.start()
        self._store.watch(self.tail.wake)

    def close(self) -> None:
        """Stop following; the catalog stays as it is, and another writer of it may begin."""
        self.tail.close()

    def wake(self) -> None:
        """Follow the log now, as a request waits for it."""
        self.tail.wake()

    @property
    def lag(self) -> Lag:
        entries = max(0, self._seen - self._catalog.position)
        return Lag(entries, max(0.0, self._clock() - self.tail.current_at))

    def _is_current(self, state: CatalogState) -> bool:
        """Return whether a state is the record's; the process that writes looks once a second.

        Its first look finds the writes of the process that wrote before.
        """
        now_s, writes = self._clock(), self._store.writes
        if writes and now_s < self._looked_as_leader_at + LEADER_LOOK_S:
            self._seen = state.position
            return True
        self._looked_as_leader_at = now_s if writes else -math.inf
        self._seen, log_hash = self._store.head
        return (self._seen, log_hash) == (state.position, state.log_hash)

    @property
    def problem(self) -> str | None:
        """Return why the follower is too far behind, and by how much; `None` if it is not."""
        lag, most = self.lag, self._max_lag
        if lag.entries <= most.entries and lag.seconds <= most.seconds:
            return None
        behind = f"behind the leader by {lag.entries} writes and {lag.seconds:.0f} s"
        return f"{behind}: {self.tail.error}" if self.tail.error else behind

    def _reload(self, snapshot: Snapshot, before: CatalogState) -> CatalogState:
        """Read the record; no row gets a row id that one of the state before has."""
        views, elsewhere = [], []
        for library in libraries_of(snapshot):
            was = before.views.get(library.id) or before.elsewhere.get(library.id)
            first_row_id = 0 if was is None else was.next_row_id
            if self._has_held(before, library.id):
                views.append(from_record(snapshot, library, first_row_id=first_row_id))
            else:
                elsewhere.append(LibraryView(library, next_row_id=first_row_id))
        runtime = before.runtime
        return CatalogState.of_snapshot(snapshot, views, runtime=runtime, elsewhere=elsewhere)

    def _has_held(self, before: CatalogState, library_id: str) -> bool:
        if library_id in before.library_ids:
            return library_id not in before.elsewhere
        return self._holds(library_id)
