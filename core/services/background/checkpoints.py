"""Makes checkpoints: by bytes written, by time, on request, and at shutdown."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import crash_points
from core.background_thread import BackgroundThread
from core.domain.changes import Change, ChunksDeleted, ChunksPut, EmbeddingsReplaced
from core.domain.errors import StorageError, StorageFull, StorageUnavailable, is_full
from core.indexing.checkpoints.loaded import LoadedCheckpoint
from core.indexing.lexical.catch_up import LexicalIndexes
from core.indexing.lexical.checkpointed import StoredLexicalIndex
from core.indexing.views.catalog import Catalog, CatalogState
from core.ports.store import Store

if TYPE_CHECKING:  # it imports the kernels, which take a second
    from core.indexing.checkpoints.writing import CheckpointWriter

_BYTES_PER_CHANGE = 200
_RETRY_S = 10.0
_FAILURE = "The checkpoint failed; it will be tried again."

_log = logging.getLogger(__name__)


class Checkpoints:
    """The thread that makes checkpoints, and the list of those made.

    A checkpoint is due `every_s` after the last one, or once `every_bytes` of vectors and texts
    were written. The log is trimmed behind the oldest one kept, and behind the position that
    `followed_from` returns: that of the slowest process that follows the log.
    """

    def __init__(
        self,
        directory: Path,
        catalog: Catalog,
        store: Store,
        loaded: LoadedCheckpoint,
        lexical: LexicalIndexes,
        *,
        every_s: float,
        every_bytes: int,
        followed_from: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._catalog = catalog
        self._store = store
        self._lexical = lexical
        self._manifests = list(loaded.manifests)
        self._known = loaded.known
        self._writer: CheckpointWriter | None = None
        self.set_aside = loaded.set_aside
        self._followed_from = followed_from
        self._every_s, self._every_bytes = every_s, every_bytes
        self._clock = clock
        self._making = threading.Lock()
        self._lock = threading.Lock()
        # Guarded by `_lock`.
        self._bytes = 0
        self._due = clock() + every_s
        # A checkpoint that names damaged files is replaced by a new one.
        is_good = self._is_current and not loaded.set_aside
        self._last = (catalog.state.views, lexical.checkpoint()) if is_good else None
        self.error: str | None = None
        self._listener: Callable[[], None] = lambda: None
        self._thread = BackgroundThread(
            "checkpoints", self._make_if_due, failure=_FAILURE, retry_s=_RETRY_S
        )

    def on_make(self, listener: Callable[[], None]) -> None:
        """Call the listener after each new checkpoint; call this before `start`."""
        self._listener = listener

    def start(self) -> None:
        self._store.subscribe(self.on_commit)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and make a last checkpoint, so that the next start replays no log."""
        if self._thread.close():
            self._try()

    @property
    def position(self) -> int | None:
        """Return the newest checkpoint's position, `None` without checkpoints."""
        manifests = self._manifests
        return manifests[0].position if manifests else None

    @property
    def _is_current(self) -> bool:
        return self.position == self._catalog.position

    def on_commit(self, _: int, changes: Sequence[Change], __: bytes) -> None:
        """Count the bytes of a commit; a listener of the store."""
        for change in changes:
            self.note(change)

    def note(self, change: Change) -> None:
        """Count the bytes of a change."""
        with self._lock:
            self._bytes += _size(change)
        if self._bytes >= self._every_bytes:
            self._thread.wake()

    def make(self) -> int | None:
        """Make a checkpoint, unless the newest is current; return the newest one's position.

        Raises:
            StorageFull, StorageUnavailable: the checkpoint can't be written.
        """
        from core.indexing.checkpoints.writing import (
            CHECKPOINTS_KEPT,
            CheckpointWriter,
            delete_unreferenced,
        )

        with self._making:
            lexical = self._lexical.checkpoint()  # before the state is read
            state = self._catalog.state
            with self._lock:
                self._bytes = 0
            if not state.position or self._is_last(state.views, lexical):
                return self.position
            self._writer = self._writer or CheckpointWriter(self._directory, self._known)
            try:
                manifest = self._writer.write(state, self._at(state), lexical)
                self._last = state.views, lexical
                others = [m for m in self._manifests if m.position != manifest.position]
                self._manifests = [manifest, *others][:CHECKPOINTS_KEPT]
                delete_unreferenced(self._directory, self._manifests)
            except OSError as error:
                raise _as_storage_error(error) from error
            crash_points.reach("checkpoint.tidied")
            self._listener()
            self._store.trim_log(min(self._manifests[-1].position, self._followed_from()))
            self._store.reclaim()
            return manifest.position

    def _is_last(self, views: object, lexical: Mapping[str, StoredLexicalIndex]) -> bool:
        last = self._last
        return last is not None and last[0] is views and last[1] == lexical

    def _at(self, state: CatalogState) -> str:
        """Return the time at which the log says that the state's position was written.

        Raises:
            StorageUnavailable: the log has been trimmed beyond the position, or is another one.
        """
        position = state.position
        with self._store.read() as snapshot:
            entry = next(iter(snapshot.log.after(position - 1)), None)
        if entry is None or (entry.position, entry.hash) != (position, state.log_hash):
            raise StorageUnavailable(f"The log no longer has the index's position {position}.")
        return entry.at.isoformat()

    def _make_if_due(self) -> float:
        """Make a checkpoint if one is due, and return the seconds until the next one is."""
        if self._is_due():
            self._try()
            self._due = self._clock() + (_RETRY_S if self.error else self._every_s)
        return self._due - self._clock()

    def _is_due(self) -> bool:
        is_full = self._bytes >= self._every_bytes and not self.error
        return is_full or self._clock() >= self._due

    def _try(self) -> None:
        try:
            self.make()
        except Exception as error:  # noqa: BLE001  # serving goes on without
            _log.exception(_FAILURE)
            self.error = str(error).splitlines()[0]
        else:
            self.error = None


def _size(change: Change) -> int:
    match change:
        case ChunksPut(_, rows):
            return sum(row.embedding.nbytes + len(row.chunk.text) for row in rows)
        case EmbeddingsReplaced(_, _, embeddings):
            return embeddings.nbytes
        case ChunksDeleted(_, ids):
            return len(ids) * _BYTES_PER_CHANGE
    return _BYTES_PER_CHANGE


def _as_storage_error(error: OSError) -> StorageError:
    if is_full(error):
        return StorageFull(f"There is no room for a checkpoint: {error.strerror}.")
    return StorageUnavailable(f"A checkpoint can't be written: {error.strerror}.")
