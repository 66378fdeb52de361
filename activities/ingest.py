"""Ingestion of files: read from the API, parse, and write one document at a time over REST."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from uuid import NAMESPACE_URL, uuid5

from temporalio import activity

from activities.documents import parse
from core.contracts.ingest import (
    FileOutcome,
    IngestCheckpoint,
    IngestFilesInput,
    IngestFilesOutput,
    Manifest,
    ManifestItem,
    PruneInput,
    PruneOutput,
)
from core.contracts.names import INGEST_FILES, PRUNE
from core.documents.errors import UnusableFile
from nalanda import (
    AsyncNalanda,
    ChunkOptions,
    ConflictError,
    Document,
    NotFoundError,
    PayloadTooLargeError,
    ValidationError,
)

CONTENT_HASH = "content_sha256"
"""Metadata key of a document for the hash of its file. A client may give its own, as the command
`ingest` does, whose hash covers how it read the file."""

MAX_TRIES = 5
"""Attempts at a file that ended with the end of their worker; the next one names the file."""

MAX_DETAIL_CHARS = 500
_PAGE_SIZE = 1000


class Ingest:
    """The activities of an ingestion; `client` waits as long as a large document needs."""

    def __init__(self, client: AsyncNalanda) -> None:
        self._client = client

    @activity.defn(name=INGEST_FILES)
    async def ingest_files(self, given: IngestFilesInput) -> IngestFilesOutput:
        """Ingest the files from the place that the last attempt reached.

        Raises:
            NalandaError: the API is unavailable, or refuses all files.
        """
        manifest = await self._manifest(given.manifest)
        reached = _reached()
        outcomes = list(reached.outcomes)
        for item in manifest.items[given.start + len(outcomes) : given.stop]:
            tries = reached.begun if len(outcomes) == len(reached.outcomes) else 0
            activity.heartbeat(IngestCheckpoint(outcomes=outcomes, begun=tries + 1))
            if tries >= MAX_TRIES:
                outcome = _failed(item, f"The worker ended {tries} times while it read this file.")
            else:
                outcome = await self._ingest(given, item, outcomes, tries)
            outcomes.append(outcome)
            activity.heartbeat(IngestCheckpoint(outcomes=outcomes))
        return IngestFilesOutput(outcomes=outcomes)

    @activity.defn(name=PRUNE)
    async def prune(self, given: PruneInput) -> PruneOutput:
        """Delete the documents below the prefix whose sources are not in the manifest."""
        manifest = await self._manifest(given.manifest)
        kept = {item.source for item in manifest.items}
        gone = [
            document
            async for document in self._client.documents.list(
                given.library_id, page_size=_PAGE_SIZE
            )
            if (document.source or "").startswith(given.prefix) and document.source not in kept
        ]
        for document in gone:
            try:
                await self._client.documents.delete(given.library_id, document.id)
            except NotFoundError:
                await self._client.libraries.get(given.library_id)
        return PruneOutput(pruned=len(gone))

    async def _manifest(self, sha256: str) -> Manifest:
        return Manifest.model_validate_json(await self._client.ingestions.upload(sha256))

    async def _ingest(
        self,
        given: IngestFilesInput,
        item: ManifestItem,
        outcomes: Sequence[FileOutcome],
        tries: int,
    ) -> FileOutcome:
        """Ingest a file, or return why it can't be.

        Raises:
            NalandaError: the error is not the file's.
        """
        try:
            return await self._create_or_replace(given, item)
        except UnusableFile as error:
            return _failed(item, str(error))
        except (ConflictError, PayloadTooLargeError, ValidationError) as error:
            return _failed(item, str(error))
        except NotFoundError as error:
            await self._client.libraries.get(given.library_id)  # raises if the library is gone
            return _failed(item, str(error))
        except Exception:
            # The worker lives, so this attempt does not count.
            activity.heartbeat(IngestCheckpoint(outcomes=list(outcomes), begun=tries))
            raise

    async def _create_or_replace(self, given: IngestFilesInput, item: ManifestItem) -> FileOutcome:
        library_id, document_id = given.library_id, str(uuid5(NAMESPACE_URL, item.source))
        stored = await self._stored(library_id, document_id)
        content_hash = item.metadata.get(CONTENT_HASH, item.sha256)
        if stored is not None and stored.metadata.get(CONTENT_HASH) == content_hash:
            return await self._outcome_of_same(given, item, stored)
        content = await self._client.ingestions.upload(item.sha256)
        parsed = await asyncio.to_thread(
            parse, content, item.source, media_type=item.media_type, title=item.title
        )
        await self._client.documents.replace(
            library_id,
            document_id,
            title=parsed.title,
            source=item.source,
            metadata={**item.metadata, CONTENT_HASH: content_hash},
            chunks=[ChunkOptions(text=p.text, place=asdict(p.place)) for p in parsed.pieces],
        )
        return FileOutcome(
            source=item.source,
            status="added" if stored is None else "changed",
            chunks=len(parsed.pieces),
        )

    async def _outcome_of_same(
        self, given: IngestFilesInput, item: ManifestItem, stored: Document
    ) -> FileOutcome:
        """Return the outcome for a document that has the file's content.

        An earlier attempt of this ingestion may have written it and ended before it could say so.
        """
        if stored.version <= given.position:
            return FileOutcome(source=item.source, status="unchanged")
        return FileOutcome(
            source=item.source,
            status="added" if stored.created_at == stored.updated_at else "changed",
            chunks=await self._count_chunks(given.library_id, stored.id),
        )

    async def _stored(self, library_id: str, document_id: str) -> Document | None:
        try:
            return await self._client.documents.get(library_id, document_id)
        except NotFoundError:
            return None

    async def _count_chunks(self, library_id: str, document_id: str) -> int:
        listed = self._client.chunks.list(library_id, document_id=document_id, page_size=_PAGE_SIZE)
        return len([chunk.id async for chunk in listed])


def _reached() -> IngestCheckpoint:
    """Return what the last attempt's heartbeat said."""
    details = activity.info().heartbeat_details
    return IngestCheckpoint.model_validate(details[0]) if details else IngestCheckpoint()


def _failed(item: ManifestItem, detail: str) -> FileOutcome:
    return FileOutcome(source=item.source, status="failed", detail=detail[:MAX_DETAIL_CHARS])
