"""Documents and their chunks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metadata
from core.domain.place import Place

Embedding: TypeAlias = NDArray[np.float32]
"""`(dimension,) float32`, as the client gave it or the model made it; not normalised."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkDraft:
    """A chunk as a client sends it; the library's model computes a missing embedding."""

    text: str
    id: str | None = None
    embedding: Embedding | None = None
    metadata: Metadata = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document as a client sends it; the server splits `text`, of a `media_type`, into chunks.

    Without `text` and `chunks` a new document has no chunks, and an existing one keeps its own.
    """

    title: str | None = None
    source: str | None = None
    metadata: Metadata = field(default_factory=dict)
    text: str | None = None
    media_type: str | None = None
    chunks: Sequence[ChunkDraft] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document on record; `version` is the position of its last write, chunks aside."""

    id: str
    library_id: str
    title: str | None
    source: str | None
    metadata: Metadata
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk on record; `ordinal` orders a document's chunks from 0, possibly with gaps."""

    id: str
    library_id: str
    document_id: str
    ordinal: int
    text: str
    metadata: Metadata
    version: int
    created_at: datetime
    updated_at: datetime
    place: Place | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedChunk:
    chunk: Chunk
    embedding: Embedding


EmbeddingsById: TypeAlias = Mapping[str, Embedding]
