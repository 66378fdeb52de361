"""Export of a library from a server."""

from collections.abc import Callable, Iterator
from itertools import groupby

import numpy as np

from cli.transfer.records import (
    OWN_TO_A_SERVER,
    ChunkRecord,
    DocumentRecord,
    ExportedDocument,
    Outline,
)
from core.domain.errors import Conflict
from nalanda import Chunk, Document, Library, Nalanda

_AT_ONCE = 1_000


def outline_of(client: Nalanda, library: Library, documents: dict[str, Document]) -> Outline:
    settings = library.model_dump(mode="json", exclude=set(OWN_TO_A_SERVER), exclude_none=True)
    chunks = client.index.get(library.id).vectors
    return Outline(library.name, settings, len(documents), chunks)


def documents_of(client: Nalanda, library_id: str) -> dict[str, Document]:
    listed = client.documents.list(library_id, page_size=_AT_ONCE)
    return {document.id: document for document in listed}


def records_of(
    client: Nalanda,
    library: Library,
    documents: dict[str, Document],
    progress: Callable[[int], None],
) -> Iterator[ExportedDocument]:
    """Yield documents in order of id; the callback gets the number of chunks so far.

    Concurrent writes may or may not be included; documents created during the export are not.
    """
    remaining = dict(documents)
    count = 0
    for document_id, listed in groupby(_chunks(client, library), key=lambda c: c.document_id):
        document = remaining.pop(document_id, None)
        chunks = [_chunk(chunk) for chunk in sorted(listed, key=lambda chunk: chunk.ordinal)]
        count += len(chunks)
        progress(count)
        if document is not None:
            yield _record(document), chunks
    for document in remaining.values():
        yield _record(document), ()


def check_model(client: Nalanda, library: Library) -> None:
    """Check that the library still has the model that its exported embeddings are of.

    Raises:
        Conflict: the model was changed, perhaps in the middle of the export.
    """
    now = client.libraries.get(library.id)
    if now.embedding_model != library.embedding_model:
        raise Conflict(
            f"The model of {library.name} was changed during the export, which may have embeddings "
            "of both. Export it again."
        )


def _chunks(client: Nalanda, library: Library) -> Iterator[Chunk]:
    return client.chunks.list(
        library.id, order_by="chunk.document_id", include=["embedding"], page_size=_AT_ONCE
    )


def _chunk(chunk: Chunk) -> ChunkRecord:
    embedding = np.array(chunk.embedding, np.float32)
    return ChunkRecord(chunk.id, chunk.ordinal, chunk.text, chunk.metadata, embedding, chunk.place)


def _record(document: Document) -> DocumentRecord:
    return DocumentRecord(document.id, document.title, document.source, document.metadata)
