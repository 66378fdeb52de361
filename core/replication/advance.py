"""The state of a catalog at a later position, from the log and the record.

The log names what was written; the rows are read in their current version. So any number of writes
becomes one step, and a row that was written ten times is read once.
"""

from core.domain.batches import batches
from core.domain.changes import (
    ChunksDeleted,
    ChunksPut,
    DocumentDeleted,
    DocumentPut,
    LibraryDeleted,
    LibraryPut,
)
from core.domain.library import Library
from core.indexing.views.catalog import CatalogState
from core.indexing.views.record import AT_ONCE
from core.indexing.views.touched import Touched, touched_since
from core.ports.store import Snapshot
from core.services.lookup import find


class LogGap(Exception):
    """The log no longer has the entries that follow a state."""


def advance(state: CatalogState, snapshot: Snapshot) -> CatalogState:
    """Return the state at the snapshot's position. O(entries + rows written since `state`).

    Raises:
        LogGap: the log begins after the state's position.
    """
    oldest = snapshot.log.oldest
    if oldest is not None and oldest > state.position + 1:
        raise LogGap(f"The log begins at {oldest}, and the state is at {state.position}.")
    touched = touched_since(state.position, snapshot)
    for library_id, changes in touched.items():
        if changes.is_deleted and library_id in state.library_ids:
            state = state.after(LibraryDeleted(library_id))
    for library_id, changes in touched.items():
        library = _library(snapshot, library_id)
        if library is not None:
            state = _advance_library(state, snapshot, library, changes)
    return state.at(snapshot.position)


def _advance_library(
    state: CatalogState, snapshot: Snapshot, library: Library, changes: Touched
) -> CatalogState:
    """Apply a library's changes: chunks follow their documents, and go before them."""
    id_ = library.id
    before = state.views.get(id_)
    if changes.is_put:
        state = state.after(LibraryPut(library))
    documents = {
        document_id: find(snapshot.documents.get, id_, document_id)
        for document_id in changes.documents
    }
    for document in documents.values():
        if document is not None:
            state = state.after(DocumentPut(document))
    if before is not None and before.library.embedding_model != library.embedding_model:
        # The log has all chunks, whose embeddings may be of another dimension.
        state = state.after(ChunksDeleted(id_, sorted(changes.chunks)))
    for ids in batches(sorted(changes.chunks), AT_ONCE):
        rows = snapshot.chunks.get_many_embedded(id_, ids)
        gone = set(ids) - {row.chunk.id for row in rows}
        if gone:
            state = state.after(ChunksDeleted(id_, sorted(gone)))
        if rows:
            state = state.after(ChunksPut(id_, rows))
    known = state.views[id_].documents
    for document_id, document in documents.items():
        if document is None and document_id in known:
            state = state.after(DocumentDeleted(id_, document_id))
    return state


def _library(snapshot: Snapshot, library_id: str) -> Library | None:
    library = find(snapshot.libraries.get, library_id)
    # Another one may have the id as its name.
    return library if library is not None and library.id == library_id else None
