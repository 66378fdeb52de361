"""Ingestion of one file: read it from the API, parse it, and write its document over REST."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from uuid import NAMESPACE_URL, uuid5

from activities.documents import parse
from core.contracts.ingest import (
    FILE_HASH,
    FileOutcome,
    IngestFilesInput,
    ManifestItem,
    RemoveInput,
)
from core.documents.errors import UnusableFile
from nalanda import (
    AsyncNalanda,
    ChunkOptions,
    ConflictError,
    Document,
    NotFoundError,
    PayloadTooLargeError,
    ServerError,
    ValidationError,
)

CONTENT_HASH = "content_sha256"
"""Metadata key of a document for the hash of its file. A client may give its own, as the command
`ingest` does, whose hash covers how it read the file."""

PARSERS = max(2, min(4, os.cpu_count() or 1))
"""Files that are parsed at once: no more than cores, so that questions keep theirs."""

MAX_CHUNKS_IN_FLIGHT = 1_000
"""Chunks of documents that are being written at once; a larger document is written alone."""

MAX_DETAIL_CHARS = 500
_PAGE_SIZE = 1000


def document_id(item: ManifestItem) -> str:
    return str(uuid5(NAMESPACE_URL, item.source))


def content_hash(item: ManifestItem) -> object:
    return item.metadata.get(CONTENT_HASH, item.sha256)


def has_content(document: Document, item: ManifestItem) -> bool:
    """Return whether the document was made from the same bytes as the file has."""
    return document.metadata.get(CONTENT_HASH) == content_hash(item)


def was_added(document: Document, given: IngestFilesInput | RemoveInput) -> bool:
    """Return whether the document was created since the ingestion began."""
    if given.began_at is None:  # an ingestion of an older release
        return document.version > given.position and document.created_at == document.updated_at
    return document.created_at >= given.began_at


def failed_outcome(item: ManifestItem, detail: str) -> FileOutcome:
    return FileOutcome(source=item.source, status="failed", detail=detail[:MAX_DETAIL_CHARS])


def _is_refusal_of_the_model(error: ServerError) -> bool:
    """Return whether the model will never embed the file: 502 from the API, not from a proxy."""
    return error.status == HTTPStatus.BAD_GATEWAY and bool(error.problem)


class ChunksInFlight:
    """The chunks that are being written, which are in the memory of the worker and of the API."""

    def __init__(self) -> None:
        self._chunks = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def added(self, chunks: int) -> AsyncIterator[None]:
        """Wait until there is room for the chunks, which are in flight until the block ends."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has_room(chunks))
            self._chunks += chunks
        try:
            yield
        finally:
            async with self._changed:
                self._chunks -= chunks
                self._changed.notify_all()

    def _has_room(self, chunks: int) -> bool:
        return not self._chunks or self._chunks + chunks <= MAX_CHUNKS_IN_FLIGHT


class FileIngester:
    """Writes documents of an ingestion's files.

    `ingestion`: the id of its workflow. `is_repeated`: an earlier attempt may have written some of
    the documents.
    """

    def __init__(
        self,
        client: AsyncNalanda,
        given: IngestFilesInput,
        *,
        ingestion: str | None,
        is_repeated: bool,
    ) -> None:
        self._client = client
        self._ingestion = ingestion
        self._given = given
        self._is_repeated = is_repeated
        self._parsers = asyncio.Semaphore(PARSERS)
        self._in_flight = ChunksInFlight()

    async def ingest(self, item: ManifestItem, stored: Document | None) -> FileOutcome:
        """Ingest a file, or return why it can't be; `stored` is its document, if there is one.

        Raises:
            PreconditionFailedError: the ingestion is cancelled.
            NalandaError: the error is not the file's.
        """
        try:
            return await self._create_or_replace(item, stored)
        except (UnusableFile, ConflictError, PayloadTooLargeError, ValidationError) as error:
            return failed_outcome(item, str(error))
        except ServerError as error:
            if not _is_refusal_of_the_model(error):
                raise
            return failed_outcome(item, str(error))
        except NotFoundError as error:
            # Raises if the library is gone.
            await self._client.libraries.get(self._given.library_id)
            return failed_outcome(item, str(error))

    async def _create_or_replace(self, item: ManifestItem, stored: Document | None) -> FileOutcome:
        if stored is not None and has_content(stored, item):
            return await self._outcome_of_same(item, stored)
        async with AsyncExitStack() as until_written:
            async with self._parsers:  # also while it waits for room, to bound the memory
                content = await self._client.ingestions.upload(item.sha256)
                title, chunks = await asyncio.to_thread(_parse, content, item)
                await until_written.enter_async_context(self._in_flight.added(len(chunks)))
            written = await self._client.documents.replace(
                self._given.library_id,
                document_id(item),
                ingestion=self._ingestion,
                title=title,
                source=item.source,
                metadata={
                    **item.metadata,
                    CONTENT_HASH: content_hash(item),
                    **_file_hash(content, item),
                },
                chunks=chunks,
            )
        return self._outcome(item, written, chunks=len(chunks))

    async def _outcome_of_same(self, item: ManifestItem, stored: Document) -> FileOutcome:
        """Return the outcome for a document that has the file's content.

        An earlier attempt may have written the document and ended before it could report it.
        """
        if not self._is_repeated or stored.version <= self._given.position:
            return FileOutcome(source=item.source, status="unchanged")
        return self._outcome(item, stored, chunks=await self._count_chunks(stored.id))

    def _outcome(self, item: ManifestItem, written: Document, *, chunks: int) -> FileOutcome:
        """Return the outcome for a document that this attempt or an earlier one has written.

        A repeated attempt may have replaced the document of an earlier one, so it compares times.
        """
        is_new = written.created_at == written.updated_at
        if self._is_repeated:
            is_new = was_added(written, self._given)
        return FileOutcome(
            source=item.source,
            status="added" if is_new else "changed",
            chunks=chunks,
            version=written.version,
        )

    async def _count_chunks(self, stored_id: str) -> int:
        listed = self._client.chunks.list(
            self._given.library_id, document_id=stored_id, page_size=_PAGE_SIZE
        )
        return len([chunk.id async for chunk in listed])


def _file_hash(content: bytes, item: ManifestItem) -> dict[str, str]:
    """Return the metadata by which the API finds the file of a PDF, to draw its pages."""
    return {FILE_HASH: item.sha256} if b"%PDF-" in content[:1024] else {}


def _parse(content: bytes, item: ManifestItem) -> tuple[str, list[ChunkOptions]]:
    """Return the title and the chunks of a file.

    Raises:
        UnusableFile: the file can't be read.
    """
    parsed = parse(content, item.source, media_type=item.media_type, title=item.title)
    chunks = [ChunkOptions(text=p.text, place=p.place.present_fields()) for p in parsed.pieces]
    return parsed.title, chunks
