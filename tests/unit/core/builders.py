"""Domain objects for tests, with everything that a test does not care about filled in."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from core.domain.document import Chunk, Document, EmbeddedChunk
from core.domain.library import IndexSpec, Library, Metadata, Metric
from core.domain.schema import MetadataSchema

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def library(
    id: str = "L",
    *,
    name: str | None = None,
    metric: Metric = Metric.L2,
    dimension: int | None = 2,
    model: str | None = None,
    schema: MetadataSchema | None = None,
) -> Library:
    return Library(
        id=id,
        name=name or f"the library {id}",
        description=None,
        metadata={},
        metadata_schema=schema,
        dimension=dimension,
        metric=metric,
        index=IndexSpec(),
        embedding_model=model,
        version=1,
        created_at=NOON,
        updated_at=NOON,
    )


def document(
    id: str = "d",
    *,
    library_id: str = "L",
    title: str | None = None,
    source: str | None = None,
    metadata: Metadata | None = None,
    created_at: datetime = NOON,
) -> Document:
    return Document(
        id=id,
        library_id=library_id,
        title=title,
        source=source,
        metadata=metadata or {},
        version=1,
        created_at=created_at,
        updated_at=NOON,
    )


def chunk(
    id: str = "c",
    *,
    library_id: str = "L",
    document_id: str = "d",
    ordinal: int = 0,
    text: str = "",
    metadata: Metadata | None = None,
    created_at: datetime = NOON,
) -> Chunk:
    return Chunk(
        id=id,
        library_id=library_id,
        document_id=document_id,
        ordinal=ordinal,
        text=text,
        metadata=metadata or {},
        version=1,
        created_at=created_at,
        updated_at=NOON,
    )


def embedded(of: Chunk, embedding: Sequence[float] = (1.0, 0.0)) -> EmbeddedChunk:
    return EmbeddedChunk(of, np.array(embedding, np.float32))
