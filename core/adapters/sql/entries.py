"""The log's entries as JSON: the changes of a position, by reference.

A row's version is the position that put the row, so an entry needs only the row's id.
"""

import json
from collections.abc import Sequence

from core.domain.changes import (
    Change,
    ChangeRef,
    ChunksDeleted,
    ChunksPut,
    ChunksRef,
    DocumentDeleted,
    DocumentPut,
    DocumentRef,
    EmbeddingsReplaced,
    FeedbackAdded,
    LibraryDeleted,
    LibraryPut,
    LibraryRef,
)
from core.domain.errors import StorageError


def to_entry(changes: Sequence[Change]) -> str:
    return json.dumps([_by_reference(change) for change in changes])


def from_entry(text: str) -> tuple[ChangeRef, ...]:
    """Parse the changes of an entry.

    Raises:
        StorageError: the entry has a kind of change that this program doesn't know.
    """
    return tuple(map(_reference, json.loads(text)))


def _by_reference(change: Change) -> dict[str, object]:
    match change:
        case LibraryPut(library):
            return {"kind": "library_put", "library_id": library.id}
        case LibraryDeleted(library_id):
            return {"kind": "library_deleted", "library_id": library_id}
        case DocumentPut(document):
            return {
                "kind": "document_put",
                "library_id": document.library_id,
                "document_id": document.id,
            }
        case DocumentDeleted(library_id, document_id):
            return {
                "kind": "document_deleted",
                "library_id": library_id,
                "document_id": document_id,
            }
        case ChunksPut(library_id, rows):
            ids = [row.chunk.id for row in rows]
            return {"kind": "chunks_put", "library_id": library_id, "chunk_ids": ids}
        case EmbeddingsReplaced(library_id, chunk_ids):
            # A reader of the log reads the chunks again, whatever has changed in them.
            return {
                "kind": "chunks_put",
                "library_id": library_id,
                "chunk_ids": list(chunk_ids),
            }
        case ChunksDeleted(library_id, chunk_ids):
            return {
                "kind": "chunks_deleted",
                "library_id": library_id,
                "chunk_ids": list(chunk_ids),
            }
        case FeedbackAdded(workflow_id):
            return {"kind": "feedback_added", "workflow_id": workflow_id}


def _reference(change: dict[str, object]) -> ChangeRef:
    match change:
        case {"kind": "library_put", "library_id": str(library_id)}:
            return LibraryRef(library_id)
        case {"kind": "library_deleted", "library_id": str(library_id)}:
            return LibraryDeleted(library_id)
        case {"kind": "document_put", "library_id": str(library_id), "document_id": str(id_)}:
            return DocumentRef(library_id, id_)
        case {"kind": "document_deleted", "library_id": str(library_id), "document_id": str(id_)}:
            return DocumentDeleted(library_id, id_)
        case {"kind": "chunks_put", "library_id": str(library_id), "chunk_ids": list(ids)}:
            return ChunksRef(library_id, tuple(ids))
        case {"kind": "chunks_deleted", "library_id": str(library_id), "chunk_ids": list(ids)}:
            return ChunksDeleted(library_id, tuple(ids))
        case {"kind": "feedback_added", "workflow_id": str(workflow_id)}:
            return FeedbackAdded(workflow_id)
    raise StorageError(f"The log has a change that is not known here: {change.get('kind')!r}.")
