"""A turn of an ingestion: files of a manifest for about a second, several at once.

Outcomes are in the files' order, and each heartbeat has those of all files before the first one
that has not ended. So the next attempt begins at that file.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator

from temporalio import activity

from activities.ingest_file import PARSERS, FileIngester, document_id, failed_outcome
from activities.precedence import QuestionStages
from core.contracts.ingest import (
    FileOutcome,
    IngestCheckpoint,
    IngestFilesInput,
    Manifest,
    ManifestItem,
)
from nalanda import AsyncNalanda, Document, PreconditionFailedError

FILES_AT_ONCE = PARSERS
"""Files of one activity at once: some are parsed while others are embedded and written."""

FILES_OF_REMOTE_MODELS_AT_ONCE = 12
"""The same where a model is remote: most files wait for it, and the API embeds those that wait by
shared calls. Two activities leave some of the API's slots for writes of others.
"""

TURN_S = 1.0
"""Time after which a turn begins no file, so that ingestions alternate and pauses take effect."""

SETTLE_S = 0.25
"""Time that the files in flight have to end once the ingestion is cancelled."""

MAX_TRIES = 5
"""Attempts at a file that ended with the end of their worker; the next one names the file."""

LOOKED_UP_AT_ONCE = 100


class Turn:
    """One attempt at the files `start` to `stop`; it may end before `stop`.

    `at_once`: the number of files in flight. `questions`: those that files wait for.
    """

    def __init__(
        self,
        client: AsyncNalanda,
        given: IngestFilesInput,
        manifest: Manifest,
        *,
        at_once: int,
        questions: QuestionStages,
    ) -> None:
        reached = _last_checkpoint()
        self._client = client
        self._questions = questions
        self._given = given
        self._ingester = FileIngester(
            client,
            given,
            ingestion=activity.info().workflow_id,
            is_repeated=given.is_repeated or activity.info().attempt > 1,
        )
        self._outcomes = list(reached.outcomes)
        self._items = manifest.items[given.start + len(self._outcomes) : given.stop]
        self._tries = reached.begun
        # After the end of a worker one at a time, so that the file that ended it is known.
        self._at_once = 1 if reached.begun or reached.together else at_once
        self._pending: deque[asyncio.Task[FileOutcome]] = deque()
        self._ends_at = time.monotonic() + TURN_S

    async def run(self) -> list[FileOutcome]:
        """Ingest files, and return the outcomes, those of the attempt before first.

        A turn of a cancelled ingestion returns the outcomes that it has.

        Raises:
            NalandaError: the API is unavailable, or refuses all files.
        """
        try:
            await self._run()
        except PreconditionFailedError:  # the API refuses the writes of a cancelled ingestion
            await self._settle()
        except asyncio.CancelledError:
            if not _is_cancelled_with_its_ingestion():
                raise
            await self._settle()
        finally:
            await self._drop_pending()
        return self._outcomes

    async def _run(self) -> None:
        async for item, stored in self._files():
            if len(self._pending) == self._at_once:
                await self._take_next()
            if time.monotonic() >= self._ends_at and self._outcomes:
                break
            self._begin(item, stored)
        while self._pending:
            await self._take_next()

    async def _files(self) -> AsyncIterator[tuple[ManifestItem, Document | None]]:
        """Yield the files with their stored documents, which one call looks up for many files."""
        for start in range(0, len(self._items), LOOKED_UP_AT_ONCE):
            items = self._items[start : start + LOOKED_UP_AT_ONCE]
            ids = [document_id(item) for item in items]
            stored = await self._client.documents.get_many(self._given.library_id, ids)
            for item, id_ in zip(items, ids, strict=True):
                yield item, stored.get(id_)

    def _begin(self, item: ManifestItem, stored: Document | None) -> None:
        self._pending.append(asyncio.create_task(self._ingest(item, stored, self._tries)))
        if len(self._pending) == 1:
            self._heartbeat(is_working=True)

    async def _ingest(self, item: ManifestItem, stored: Document | None, tries: int) -> FileOutcome:
        if tries >= MAX_TRIES:
            return failed_outcome(item, f"The worker ended {tries} times while it read this file.")
        await self._questions.wait_until_idle()
        return await self._ingester.ingest(item, stored)

    async def _take_next(self) -> None:
        """Wait for the first file in flight, and report its outcome.

        Raises:
            NalandaError: the error is not the file's.
        """
        await asyncio.wait([self._pending[0]])
        try:
            outcome = self._pending[0].result()
        except Exception:
            self._heartbeat(is_working=False)  # the worker lives, so this attempt does not count
            raise
        self._report(outcome)

    def _report(self, outcome: FileOutcome) -> None:
        self._pending.popleft()
        self._outcomes.append(outcome)
        self._tries = 0
        self._heartbeat(is_working=bool(self._pending))

    async def _settle(self) -> None:
        """Give the files in flight a moment, and report those that end in order."""
        if self._pending:
            await asyncio.wait(self._pending, timeout=SETTLE_S)
        while self._pending and self._pending[0].done() and not self._pending[0].exception():
            self._report(self._pending[0].result())

    async def _drop_pending(self) -> None:
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _heartbeat(self, *, is_working: bool) -> None:
        is_alone = self._at_once == 1
        checkpoint = IngestCheckpoint(
            outcomes=self._outcomes,
            begun=self._tries + (is_working and is_alone),
            together=is_working and not is_alone,
        )
        activity.heartbeat(checkpoint)


def _last_checkpoint() -> IngestCheckpoint:
    """Return what the last attempt's heartbeat said."""
    details = activity.info().heartbeat_details
    return IngestCheckpoint.model_validate(details[0]) if details else IngestCheckpoint()


def _is_cancelled_with_its_ingestion() -> bool:
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested
