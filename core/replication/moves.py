"""Libraries that a follower takes from other nodes, or leaves to them, while it follows the log.

A library's view is built from a snapshot, which may take minutes, while the log is followed. The
next step of the log takes the view, brings it to the step's position by the log, and adds it. So
the log is never held up, and no state has a library at two positions.
"""

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass

from core.indexing.views.catalog import CatalogState
from core.indexing.views.record import from_record
from core.indexing.views.view import LibraryView
from core.ports.store import Snapshot, Store
from core.replication.advance import advance
from core.replication.continuity import LogGap, LogReplaced, entries_after
from core.services.lookup import find

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Built:
    """A library's view at a position of the log, which has this hash there."""

    view: LibraryView
    position: int
    log_hash: bytes


class Moves:
    """The moves that the next step of the log makes."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        # Guarded by `_turn`.
        self._built: list[_Built] = []
        self._released: set[str] = set()

    @property
    def is_due(self) -> bool:
        """Return whether the next step has a move to make."""
        return bool(self._built or self._released)

    def build(self, store: Store, absent: LibraryView) -> None:
        """Build the index of a library that is elsewhere: O(chunks). Nothing if it is deleted.

        Raises:
            NalandaError: the record can't be read.
        """
        with store.read() as snapshot:
            library = find(snapshot.libraries.get, absent.library.id)
            if library is None or library.id != absent.library.id:
                return
            view = from_record(snapshot, library, first_row_id=absent.next_row_id)
            built = _Built(view, snapshot.position, snapshot.log.last_hash)
        with self._turn:
            self._built.append(built)

    def release(self, library_ids: Collection[str]) -> None:
        """Leave libraries to other nodes."""
        with self._turn:
            self._released.update(library_ids)

    def apply(self, state: CatalogState, snapshot: Snapshot) -> CatalogState:
        """Return the state, which is at the snapshot's position, after the moves.

        A library whose view the log does not lead to the position remains elsewhere.
        """
        with self._turn:
            built, self._built = self._built, []
            released, self._released = self._released, set()
        for library_id in released & set(state.views):
            state = state.without_index(state.views[library_id].library)
        for each in built:
            state = _with_built(state, each, snapshot)
        return state


def _with_built(state: CatalogState, built: _Built, snapshot: Snapshot) -> CatalogState:
    library_id = built.view.library.id
    if library_id not in state.elsewhere:
        return state  # deleted meanwhile
    alone = CatalogState.of(
        built.position, [built.view], runtime=state.runtime, log_hash=built.log_hash
    )
    try:
        entries = entries_after(alone, snapshot)
        alone = advance(alone, entries, snapshot, holds=lambda id_: id_ == library_id)
    except (LogGap, LogReplaced) as reason:
        _log.warning("The library %s is built again: %s", library_id, reason)
        return state
    return state.with_index(alone.views[library_id])
