"""Keeps the catalog of a reader current, which shares the data directory of another process."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from core.background_thread import BackgroundThread
from core.domain.errors import StorageUnavailable
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.checkpoints.paths import newest_in
from core.indexing.views.catalog import Catalog, CatalogState
from core.indexing.views.record import from_record, libraries_of
from core.ports.store import Snapshot, Store
from core.replication.follower import Lag
from core.replication.tail import Tail

if TYPE_CHECKING:  # it imports the kernels, which take a second
    from core.indexing.checkpoints.loading import OpenSegments

POLL_S = 0.005
"""The time between two looks at the position of the writer."""

CHECKPOINTS_S = 1.0
"""The time between two looks for a new checkpoint."""

GENERATION = 2**40
"""The distance of the first row ids of two checkpoints that are followed. The writer gives other
row ids to the rows of its delta, and no row id may ever be that of two rows."""

_TRIES = 3
_RETRY_S = 1.0


class CheckpointReader:
    """Loads the newest checkpoint of another process, whose segments it maps.

    The writer may replace a checkpoint while it is being read; then the next one is read. Segments
    that an earlier checkpoint had stay open.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.loaded: str | None = None
        """The name of the newest checkpoint at the last load."""
        self._turn = threading.Lock()
        # Guarded by `_turn`.
        self._open: OpenSegments = {}
        self._generation = 0

    def newest(self) -> str | None:
        """Return the name of the newest checkpoint; `None` if there is none."""
        newest = newest_in(self._directory)
        return None if newest is None else newest.name

    def load(self, snapshot: Snapshot) -> LoadedCheckpoint:
        """Load all libraries as of the snapshot.

        Raises:
            StorageUnavailable: a file is damaged or can't be read.
        """
        with self._turn:
            self._generation += 1
            newest = self.newest()
            loaded = self._load(snapshot) if newest else self._from_record(snapshot)
            self.loaded = newest
            return loaded

    def _load(self, snapshot: Snapshot) -> LoadedCheckpoint:
        # Imported late: the import of the kernels takes half of a process's start.
        from core.indexing.checkpoints.loading import CheckpointLoader
        from core.indexing.container.container import DamagedFile

        failure: Exception | None = None
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for _ in range(_TRIES):
                loader = CheckpointLoader(
                    self._directory,
                    snapshot,
                    pool,
                    repairs=False,
                    open_segments=self._open,
                    first_row_id=self._generation * GENERATION,
                )
                try:
                    loaded = loader.load()
                except (DamagedFile, OSError) as error:
                    failure = error
                else:
                    self._open = loader.open_segments
                    return loaded
        raise StorageUnavailable(f"No checkpoint can be read: {failure}") from failure

    def _from_record(self, snapshot: Snapshot) -> LoadedCheckpoint:
        first = self._generation * GENERATION
        libraries = libraries_of(snapshot)
        return LoadedCheckpoint(
            views=[from_record(snapshot, each, first_row_id=first) for each in libraries]
        )


class Reader:
    """The threads that follow the log and the checkpoints of the process that writes.

    `published`: the position of the last acknowledged write. Rows since the last checkpoint are a
    delta. A new checkpoint has their segments, so that a reader builds none.
    """

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        checkpoints: CheckpointReader,
        published: Callable[[], int],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._checkpoints = checkpoints
        self._published = published
        self.tail = Tail(
            store,
            catalog,
            is_current=lambda state: self._published() <= state.position,
            reload=lambda snapshot, _: self._load(snapshot),
            poll_s=POLL_S,
        )
        self._adoption = BackgroundThread(
            "adoption",
            self.adopt,
            failure="The new checkpoint can't be read; it will be tried again.",
            retry_s=_RETRY_S,
        )

    def start(self) -> None:
        self.tail.start()
        self._adoption.start()

    def close(self) -> None:
        self._adoption.close()
        self.tail.close()

    def acknowledged(self) -> int:
        """Return the position of the last acknowledged write."""
        return self._published()

    @property
    def lag(self) -> Lag:
        entries = max(0, self._published() - self._catalog.position)
        return Lag(entries, max(0.0, time.monotonic() - self.tail.current_at))

    def wake(self) -> None:
        """Follow the log now, as a request waits for it."""
        self.tail.wake()

    def adopt(self) -> float:
        """Load a new checkpoint if there is one; return the seconds until the next look."""
        if self._checkpoints.newest() not in {None, self._checkpoints.loaded}:
            with self._store.read() as snapshot:
                state = self._load(snapshot)
            self.tail.replace_with(state)
        return CHECKPOINTS_S

    def _load(self, snapshot: Snapshot) -> CatalogState:
        loaded = self._checkpoints.load(snapshot)
        runtime = self._catalog.state.runtime
        return CatalogState.of_snapshot(snapshot, loaded.views, runtime=runtime)
