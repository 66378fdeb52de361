"""The state of a catalog at a later position, from the log and the record.

The log names what was written; the rows are read in their current version. So any number of writes
becomes one step, a row that was written ten times is read once, and memory has the ids that the log
names and one batch of rows.
"""

from collections.abc import Callable, Iterable

from core.domain.batches import batches
from core.domain.changes import (
    Change,
    ChunksDeleted,
    ChunksPut,
    DocumentDeleted,
    DocumentPut,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.library import Library
from core.indexing.views.catalog import CatalogState
from core.indexing.views.record import AT_ONCE, from_record
from core.indexing.views.touched import Touched, touched_by
from core.ports.store import LogEntry, Snapshot
from core.services.lookup import find


def advance(
    state: CatalogState,
    entries: Iterable[LogEntry],
    snapshot: Snapshot,
    note: Callable[[Change], None] = lambda _: None,
    holds: Callable[[str], bool] = lambda _: True,
) -> CatalogState:
    """Return the state at the snapshot's position. O(entries + rows written since `state`).

    `entries`: all entries of the log after the state's position. A missing library is read from the
    record. `note` is called with each change. `holds`: whether a new library with this id is held
    here, and not elsewhere.
    """
    touched = touched_by(entries)
    step = _Step(state, snapshot, note, holds)
    for library_id, changes in touched.items():
        if changes.is_deleted and library_id in state.library_ids:
            step.apply(LibraryDeleted(library_id))
    for library_id in step.state.missing:
        step.rebuild(library_id)
        touched = {id_: changes for id_, changes in touched.items() if id_ != library_id}
    for library_id, changes in touched.items():
        step.advance_library(library_id, changes)
    return step.state.at(snapshot.position, snapshot.log.last_hash)


class _Step:
    """A step from a state to the one at the snapshot's position."""

    def __init__(
        self,
        state: CatalogState,
        snapshot: Snapshot,
        note: Callable[[Change], None],
        holds: Callable[[str], bool],
    ) -> None:
        self.state = state
        self._snapshot = snapshot
        self._note = note
        self._holds = holds

    def apply(self, change: Change) -> None:
        self._note(change)
        self.state = self.state.after(change)

    def rebuild(self, library_id: str) -> None:
        """Read a missing library from the record."""
        library = self._library(library_id)
        if library is None:
            self.apply(LibraryDeleted(library_id))
        else:
            self.state = self.state.with_index(from_record(self._snapshot, library))

    def advance_library(self, library_id: str, changes: Touched) -> None:
        """Apply a library's changes: chunks follow their documents, and go before them."""
        library = self._library(library_id)
        if library is None:
            return
        if self._is_elsewhere(library_id):
            self.state = self.state.without_index(library)
            return
        before = self.state.views.get(library_id)
        if changes.is_put:
            self.apply(LibraryPut(library))
        gone: list[str] = []
        for ids in batches(sorted(changes.documents), AT_ONCE):
            documents = self._snapshot.documents.get_many(library_id, ids)
            gone += [id_ for id_ in ids if id_ not in documents]
            for document in documents.values():
                self.apply(DocumentPut(document))
        if before is not None and before.library.embedding_model != library.embedding_model:
            # The log has all chunks, whose embeddings may be of another dimension.
            self.apply(ChunksDeleted(library_id, sorted(changes.chunks)))
        for ids in batches(sorted(changes.chunks), AT_ONCE):
            self._advance_chunks(library_id, ids)
        known = self.state.views[library_id].documents
        for document_id in gone:
            if document_id in known:
                self.apply(DocumentDeleted(library_id, document_id))

    def _is_elsewhere(self, library_id: str) -> bool:
        if library_id in self.state.views:
            return False
        return library_id in self.state.elsewhere or not self._holds(library_id)

    def _advance_chunks(self, library_id: str, ids: list[str]) -> None:
        rows = self._snapshot.chunks.get_many_embedded(library_id, ids)
        gone = set(ids) - {row.chunk.id for row in rows}
        if gone:
            self.apply(ChunksDeleted(library_id, sorted(gone)))
        if rows:
            self.apply(ChunksPut(library_id, rows))

    def _library(self, library_id: str) -> Library | None:
        library = find(self._snapshot.libraries.get, library_id)
        # Another one may have the id as its name.
        return library if library is not None and library.id == library_id else None
