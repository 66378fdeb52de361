"""The changes of a committed write: the log has them by reference, the index gets them in full.

A write's changes are in the order in which the write made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.domain.document import Document, EmbeddedChunk
from core.domain.library import Library


@dataclass(frozen=True, slots=True)
class LibraryPut:
    library: Library


@dataclass(frozen=True, slots=True)
class LibraryDeleted:
    """The deletion of a library and all below it, for which there are no changes of their own."""

    library_id: str


@dataclass(frozen=True, slots=True)
class DocumentPut:
    document: Document


@dataclass(frozen=True, slots=True)
class DocumentDeleted:
    """The deletion of a document; a `ChunksDeleted` before it has the document's chunks."""

    library_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class ChunksPut:
    library_id: str
    rows: Sequence[EmbeddedChunk]


@dataclass(frozen=True, slots=True)
class ChunksDeleted:
    library_id: str
    chunk_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class FeedbackAdded:
    workflow_id: str


Change: TypeAlias = (
    LibraryPut
    | LibraryDeleted
    | DocumentPut
    | DocumentDeleted
    | ChunksPut
    | ChunksDeleted
    | FeedbackAdded
)


@dataclass(frozen=True, slots=True)
class LibraryRef:
    """A `LibraryPut` without the library."""

    library_id: str


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A `DocumentPut` without the document."""

    library_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class ChunksRef:
    """A `ChunksPut` without the chunks."""

    library_id: str
    chunk_ids: Sequence[str]


ChangeRef: TypeAlias = (
    LibraryRef
    | LibraryDeleted
    | DocumentRef
    | DocumentDeleted
    | ChunksRef
    | ChunksDeleted
    | FeedbackAdded
)
"""A change as the log has it."""
