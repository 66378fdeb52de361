"""Ingestion of the corpus into the demo's library; a second run writes only the changes."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from cli.demo.corpus import METADATA_SCHEMA, PYTHON, Document
from nalanda import AsyncNalanda, ChunkOptions, NotFoundError, Place

LIBRARY = "python"
DESCRIPTION = "The documentation of the Python standard library"


@dataclass(frozen=True, slots=True)
class Step:
    """A document that is up to date, and whether the step wrote it."""

    document: Document
    written: bool


async def ingest(client: AsyncNalanda, documents: Sequence[Document]) -> AsyncIterator[Step]:
    """Yield one step per document, in order; then delete the library's other documents."""
    await _ensure_library(client)
    stored = {
        document.id: document.metadata.get("content_hash")
        async for document in client.documents.list(LIBRARY)
    }
    for document in documents:
        written = stored.pop(document.id, None) != document.content_hash
        if written:
            await _write(client, document)
        yield Step(document, written)
    for left in stored:  # from another Python version
        await client.documents.delete(LIBRARY, left)


async def _ensure_library(client: AsyncNalanda) -> None:
    try:
        await client.libraries.get(LIBRARY)
    except NotFoundError:
        await client.libraries.create(
            LIBRARY, description=DESCRIPTION, metadata_schema=METADATA_SCHEMA
        )


async def _write(client: AsyncNalanda, document: Document) -> None:
    chunks = [
        ChunkOptions(
            id=chunk.id,
            text=chunk.text,
            metadata=chunk.metadata,
            place=Place(title=document.title, headings=list(chunk.headings)),
        )
        for chunk in document.chunks
    ]
    await client.documents.replace(
        LIBRARY,
        document.id,
        title=document.title,
        source=f"Python {PYTHON}, module {document.title}",
        metadata={"python": PYTHON, "content_hash": document.content_hash},
        chunks=chunks,
    )
