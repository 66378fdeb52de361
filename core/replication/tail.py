"""Follows the log: brings a catalog to the position of a record that another process writes."""

import logging
import time
from collections.abc import Callable
from typing import TypeAlias

from core.background_thread import BackgroundThread
from core.domain.changes import Change
from core.domain.errors import NalandaError
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.record import libraries_of
from core.ports.store import Snapshot, Store
from core.replication.advance import advance
from core.replication.continuity import LogGap, LogReplaced, entries_after
from core.replication.moves import Moves

_RETRY_S = 1.0
_CLOSE_S = 5.0

Reload: TypeAlias = Callable[[Snapshot, CatalogState], CatalogState]
"""Returns the state at a snapshot's position, made without the log; it has the state before."""

_log = logging.getLogger(__name__)


class Tail:
    """The thread that follows the log.

    `is_current` returns whether a state has all writes of the record, or all acknowledged ones.
    `reload` makes the state where the log does not go on from the present one. `note` is called
    with each change. `holds`: whether a new library with this id is held here. `moves`: of
    libraries from and to other nodes; a step makes them.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        *,
        is_current: Callable[[CatalogState], bool],
        reload: Reload,
        poll_s: float,
        note: Callable[[Change], None] = lambda _: None,
        holds: Callable[[str], bool] = lambda _: True,
        moves: Moves | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._is_current = is_current
        self._reload = reload
        self._poll_s = poll_s
        self._note = note
        self._holds = holds
        self._moves = moves or Moves()
        self._clock = clock
        self._replacement: CatalogState | None = None
        self.current_at = clock()
        """The time at which the catalog was last known to have all writes."""
        self.error: str | None = None
        self.replaced: str | None = None
        """What shows that the record went back, until the index is loaded from it again."""
        self.replacements = 0
        """The number of times that the record had another history than the catalog."""
        self._dropped: CatalogState | None = None
        self._thread = BackgroundThread(
            "log",
            self._try_to_follow,
            failure="The log can't be followed; it will be tried again.",
            retry_s=_RETRY_S,
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread; a step whose database does not answer is left to end by itself."""
        self._thread.close(_CLOSE_S)

    def wake(self) -> None:
        """Follow the log now."""
        self._thread.wake()

    def replace_with(self, state: CatalogState) -> None:
        """Go on from this state, which is at a later position, instead of the catalog's."""
        self._replacement = state
        self.wake()

    def follow(self) -> float:
        """Bring the catalog to the record's position; return the seconds until the next look.

        Raises:
            NalandaError: the record can't be read.
        """
        replacement, self._replacement = self._replacement, None
        looked_at = self._clock()
        state = self._catalog.state
        is_still = replacement is None and not self._moves.is_due
        if is_still and not state.missing and self._is_current(state):
            self.current_at = looked_at
            return self._poll_s
        looked_at = self._clock()
        with self._store.read() as snapshot:
            try:
                if self._dropped is None:
                    self._catalog.advance(lambda before: self._step(before, replacement, snapshot))
            except LogReplaced as reason:
                self._drop_state(snapshot, reason)
            if self._dropped is not None:
                loaded = self._reload(snapshot, self._dropped)
                self._catalog.advance(lambda _: loaded)
                self._dropped = self.replaced = None
        self.current_at = looked_at
        return 0.0

    def _drop_state(self, snapshot: Snapshot, reason: LogReplaced) -> None:
        """Serve no library until it is loaded again: the state has writes that the record lost."""
        _log.error("The record went back, and the index is loaded again from it: %s", reason)
        self.replaced = str(reason)
        self.replacements += 1
        self._dropped = self._catalog.state
        libraries = list(libraries_of(snapshot))
        self._catalog.advance(
            lambda before: CatalogState.of_snapshot(snapshot, [], libraries, before.runtime)
        )

    def _step(
        self, before: CatalogState, replacement: CatalogState | None, snapshot: Snapshot
    ) -> CatalogState:
        state = replacement or before
        try:
            entries = entries_after(state, snapshot)
            state = advance(state, entries, snapshot, self._note, self._holds)
            state = self._moves.apply(state, snapshot)
        except LogGap as reason:
            _log.warning("The index is loaded again: %s", reason)
            state = self._reload(snapshot, before)
        return state

    def _try_to_follow(self) -> float:
        """Follow the log; log the first error of a row of errors, and the end of the row."""
        try:
            wait_s = self.follow()
        except NalandaError as error:
            if self.error is None:
                _log.warning("The log can't be followed; it will be tried again: %s", error)
            self.error = str(error)
            return _RETRY_S
        if self.error is not None:
            _log.warning("The log can be followed again.")
            self.error = None
        return wait_s
