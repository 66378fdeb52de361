"""The changes of a committed write: the log has them by reference, the index gets them in full.

A write's changes are in the order in which the write made them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingsReplaced:
    """New embeddings of all chunks of a library, which stay as they are otherwise.

    `embeddings`: `(n, d) float32`, one for each of the `chunk_ids`. A `LibraryPut` before it has
    the library with the new model.
    """

    library_id: str
    chunk_ids: Sequence[str]
    embeddings: NDArray[np.float32]


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
    | EmbeddingsReplaced
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
    """A `ChunksPut` or an `EmbeddingsReplaced` without the chunks."""

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
