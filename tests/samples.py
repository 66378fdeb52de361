"""Valid domain objects for tests; a test overrides the fields that it needs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.domain.document import Chunk, Document, EmbeddedChunk
from core.domain.library import IndexSpec, Library, Metric
from core.domain.place import Place
from core.ports.store import Store

THEN = datetime(2025, 11, 22, 20, 47, 1, 250_000, tzinfo=UTC)
PLACES = (
    None,
    Place(),
    Place("Harbours", ("Harbours", "Depth"), line=12),
    Place("Ports", page=3, box=(72.0, 80.25, 300.5, 96.0)),
)


def a_library(id_: str = "lib", **changes: Any) -> Library:
    library = Library(
        id=id_,
        name=f"name of {id_}",
        description=None,
        metadata={},
        metadata_schema=None,
        dimension=3,
        metric=Metric.COSINE,
        index=IndexSpec(),
        embedding_model=None,
        version=1,
        created_at=THEN,
        updated_at=THEN,
    )
    return replace(library, **changes)


def a_document(id_: str = "doc", library_id: str = "lib", **changes: Any) -> Document:
    document = Document(
        id=id_,
        library_id=library_id,
        title=None,
        source=None,
        metadata={},
        version=1,
        created_at=THEN,
        updated_at=THEN,
    )
    return replace(document, **changes)


def a_row(
    id_: str, document_id: str = "doc", library_id: str = "lib", **changes: Any
) -> EmbeddedChunk:
    chunk = Chunk(
        id=id_,
        library_id=library_id,
        document_id=document_id,
        ordinal=0,
        text=f"text of {id_}",
        metadata={},
        version=1,
        created_at=THEN,
        updated_at=THEN,
    )
    vector = np.array([1.0, 0.5, len(id_)], dtype=np.float32)
    return EmbeddedChunk(replace(chunk, **changes), vector)


def stored_chunks(store: Store, library: str) -> list[Chunk]:
    """Return a library's chunks on record, in order of id; `library` is an id or a name."""
    with store.read() as snapshot:
        library_id = snapshot.libraries.get(library).id
        return snapshot.chunks.page(library_id, after=None, limit=10_000)
