"""Documents and their chunks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.domain.library import Metadata

Embedding: TypeAlias = NDArray[np.float32]
"""`(dimension,) float32`, as the client gave it or the model made it; not normalised."""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkDraft:
    """What a client says of a chunk; without an embedding the library's model makes it."""

    text: str
    id: str | None = None
    embedding: Embedding | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """What a client says of a document; `text` is split into chunks by the server.

    Neither `text` nor `chunks`: none for a new document, those it has for an existing one.
    """

    title: str | None = None
    source: str | None = None
    metadata: Metadata = field(default_factory=dict)
    text: str | None = None
    chunks: Sequence[ChunkDraft] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """`version` is the position of the last write to the document itself, chunks aside."""

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
    """`ordinal` is its place in the document, from 0, growing but not always gapless."""

    id: str
    library_id: str
    document_id: str
    ordinal: int
    text: str
    metadata: Metadata
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedChunk:
    chunk: Chunk
    embedding: Embedding


EmbeddingsById: TypeAlias = Mapping[str, Embedding]
