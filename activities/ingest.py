"""The activities of an ingestion: files to documents, pruning, and removal after a cancellation."""

from temporalio import activity

from activities.ingest_removal import remove_added
from activities.ingest_turn import FILES_AT_ONCE, Turn
from activities.precedence import QuestionStages
from core.contracts.ingest import (
    IngestFilesInput,
    IngestFilesOutput,
    Manifest,
    PruneInput,
    PruneOutput,
    RemoveInput,
    RemoveOutput,
)
from core.contracts.names import INGEST_FILES, PRUNE, REMOVE_ADDED
from nalanda import AsyncNalanda

_PAGE_SIZE = 1000
_MANIFESTS = 4
"""Manifests that a worker keeps: each activity of an ingestion reads the same one."""


class Ingest:
    """The activities of an ingestion.

    `client` waits as long as a large document needs. `files_at_once`: the files of one activity in
    flight. `questions`: the stages of the same process, which files wait for.
    """

    def __init__(
        self,
        client: AsyncNalanda,
        *,
        files_at_once: int = FILES_AT_ONCE,
        questions: QuestionStages | None = None,
    ) -> None:
        self._client = client
        self._questions = questions or QuestionStages()
        self._files_at_once = files_at_once
        self._manifests: dict[str, Manifest] = {}

    @activity.defn(name=INGEST_FILES)
    async def ingest_files(self, given: IngestFilesInput) -> IngestFilesOutput:
        """Ingest files for a turn, from the place that the last attempt reached.

        Raises:
            NalandaError: the API is unavailable, or refuses all files.
        """
        manifest = await self._manifest(given.manifest)
        turn = Turn(
            self._client,
            given,
            manifest,
            at_once=self._files_at_once,
            questions=self._questions,
        )
        return IngestFilesOutput(outcomes=await turn.run())

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
        deletion = await self._client.documents.delete_many(
            given.library_id, {document.id: document.version for document in gone}
        )
        return PruneOutput(pruned=deletion.deleted)

    @activity.defn(name=REMOVE_ADDED)
    async def remove_added(self, given: RemoveInput) -> RemoveOutput:
        """Delete the documents that a cancelled ingestion added.

        Raises:
            NalandaError: the API is unavailable.
        """
        manifest = await self._manifest(given.manifest)
        ingestion = activity.info().workflow_id
        assert ingestion is not None
        return await remove_added(self._client, given, manifest, ingestion)

    async def _manifest(self, sha256: str) -> Manifest:
        if sha256 not in self._manifests:
            content = await self._client.ingestions.upload(sha256)
            while len(self._manifests) >= _MANIFESTS:
                del self._manifests[next(iter(self._manifests))]
            self._manifests[sha256] = Manifest.model_validate_json(content)
        return self._manifests[sha256]
