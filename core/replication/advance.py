"""The state of a catalog at a later position, from the log and the record.

The log names what was written; the rows are read in their current version. So any number of writes
becomes one step, and a row that was written ten times is read once.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.domain.batches import batches
from core.domain.changes import (
    ChunksDeleted,
    ChunksPut,
    ChunksRef,
    DocumentDeleted,
    DocumentPut,
    DocumentRef,
    LibraryDeleted,
    LibraryPut,
    LibraryRef,
)
from core.domain.document import Document
from core.domain.errors import NotFound
from core.domain.library import Library
from core.indexing.views.catalog import CatalogState
from core.ports.store import LogEntry, Snapshot

AT_ONCE = 1_000


class LogGap(Exception):
    """The log no longer has the entries that follow a state."""


@dataclass(slots=True)
class _Touched:
    """The rows of a library that a part of the log wrote or deleted, by id."""

    is_deleted: bool = False
    is_put: bool = False
    documents: set[str] = field(default_factory=set)
    chunks: set[str] = field(default_factory=set)


def advance(state: CatalogState, snapshot: Snapshot) -> CatalogState:
    """Return the state at the snapshot's position. O(entries + rows written since `state`).

    Raises:
        LogGap: the log begins after the state's position.
    """
    oldest = snapshot.log.oldest
    if oldest is not None and oldest > state.position + 1:
        raise LogGap(f"The log begins at {oldest}, and the state is at {state.position}.")
    touched = _touched(snapshot.log.after(state.position))
    for library_id, changes in touched.items():
        if changes.is_deleted and library_id in state.library_ids:
            state = state.after(LibraryDeleted(library_id))
    for library_id, changes in touched.items():
        library = _library(snapshot, library_id)
        if library is not None:
            state = _advance_library(state, snapshot, library, changes)
    return state.at(snapshot.position)


def _touched(entries: Iterable[LogEntry]) -> dict[str, _Touched]:
    touched: dict[str, _Touched] = defaultdict(_Touched)
    for entry in entries:
        for change in entry.changes:
            match change:
                case LibraryRef(library_id):
                    touched[library_id].is_put = True
                case LibraryDeleted(library_id):
                    touched[library_id] = _Touched(is_deleted=True)
                case DocumentRef(library_id, id_) | DocumentDeleted(library_id, id_):
                    touched[library_id].documents.add(id_)
                case ChunksRef(library_id, ids) | ChunksDeleted(library_id, ids):
                    touched[library_id].chunks.update(ids)
    return touched


def _advance_library(
    state: CatalogState, snapshot: Snapshot, library: Library, changes: _Touched
) -> CatalogState:
    """Apply a library's changes: chunks follow their documents, and go before them."""
    id_ = library.id
    before = state.views.get(id_)
    if changes.is_put:
        state = state.after(LibraryPut(library))
    documents = {
        document_id: _document(snapshot, id_, document_id) for document_id in changes.documents
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
    try:
        library = snapshot.libraries.get(library_id)
    except NotFound:
        return None
    return library if library.id == library_id else None  # another one may have the id as its name


def _document(snapshot: Snapshot, library_id: str, document_id: str) -> Document | None:
    try:
        return snapshot.documents.get(library_id, document_id)
    except NotFound:
        return None
