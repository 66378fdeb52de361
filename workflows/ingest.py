"""The workflow of an ingestion: the files of a manifest, a few at a time, then the pruning."""

import asyncio
from collections import Counter
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from core.contracts.ingest import (
        Failure,
        FileCounts,
        FileOutcome,
        IngestFilesInput,
        IngestFilesOutput,
        IngestProgress,
        IngestRequest,
        IngestStatus,
        PruneInput,
        PruneOutput,
        RemoveInput,
        RemoveOutput,
    )
    from core.contracts.names import (
        INGEST_FILES,
        INGEST_WORKFLOW,
        OUTCOMES_QUERY,
        PAUSE_SIGNAL,
        PROGRESS_QUERY,
        PRUNE,
        REMOVE_ADDED,
        RESUME_SIGNAL,
    )
    from workflows.failures import sentence
    from workflows.policies import HEARTBEAT, STOPPED, UNLIMITED_RETRY
    from workflows.search_attributes import STATUS

FILES_AT_ONCE = 200
"""The most files of one activity, which ends after a turn of about a second with fewer outcomes.

Each activity costs a round trip, and a pause takes effect after one.
"""

REMOVES_ADDED = "removes-added-documents"
"""Patch: earlier ingestions that were cancelled kept the documents that they had added."""

REMOVAL_TIMEOUT = timedelta(minutes=5)
"""Timeout of one attempt at the removal: a read and a write of at most 1,000 documents."""

OUTCOMES_AT_ONCE = 200
"""Outcomes in one answer of the query, which Temporal limits to 2 MB."""


@workflow.defn(name=INGEST_WORKFLOW)
class IngestWorkflow:
    """A workflow that ingests the files of a manifest in order.

    A file that fails is named with its reason, and the next ones go on. The workflow fails if the
    library is gone, or the API refuses all files.
    """

    @workflow.init
    def __init__(self, request: IngestRequest) -> None:
        self._request = request
        self._outcomes = list(request.outcomes)
        self._paused = request.paused
        self._begun = 0
        self._is_repeated = request.is_repeated
        self._pruned = 0
        self._status: IngestStatus = "running"
        self._error: str | None = None

    @workflow.run
    async def run(self, request: IngestRequest) -> IngestProgress:
        """Ingest the files, and return the counts; cancelled, remove the documents that it added.

        Raises:
            ActivityError: an error that all further files would meet.
        """
        try:
            await self._ingest(request)
        except (asyncio.CancelledError, FailureError) as error:
            if is_cancelled_exception(error):
                await self._remove()
            elif isinstance(error, ActivityError):
                self._close("failed", sentence(error))
            raise
        self._close("completed")
        return self.progress()

    @workflow.query(name=PROGRESS_QUERY)
    def progress(self) -> IngestProgress:
        """Return the counts so far."""
        counts = Counter[str](outcome.status for outcome in self._outcomes)
        paused = self._status == "running" and self._paused
        return IngestProgress(
            status="paused" if paused else self._status,
            files=FileCounts(total=self._request.total, pruned=self._pruned, **counts),
            chunks=sum(outcome.chunks for outcome in self._outcomes),
            failures=[
                Failure(source=outcome.source, detail=outcome.detail or "")
                for outcome in self._outcomes
                if outcome.status == "failed"
            ],
            error=self._error,
        )

    @workflow.query(name=OUTCOMES_QUERY)
    def outcomes(self, after: int) -> list[FileOutcome]:
        """Return the outcomes after the first `after` ones, at most `OUTCOMES_AT_ONCE`."""
        return self._outcomes[after : after + OUTCOMES_AT_ONCE]

    @workflow.signal(name=PAUSE_SIGNAL)
    def pause(self) -> None:
        """Stop after the files that are being ingested."""
        self._set_paused(paused=True)

    @workflow.signal(name=RESUME_SIGNAL)
    def resume(self) -> None:
        self._set_paused(paused=False)

    async def _ingest(self, request: IngestRequest) -> None:
        while len(self._outcomes) < request.total:
            await self._until_resumed()
            output = await self._next_files()
            self._outcomes += output.outcomes
            self._is_repeated |= output.attempt > 1
            _check_cancellation()
            self._begun = len(self._outcomes)
            if workflow.info().is_continue_as_new_suggested():
                state = {
                    "outcomes": self._outcomes,
                    "paused": self._paused,
                    "is_repeated": self._is_repeated,
                }
                workflow.continue_as_new(request.model_copy(update=state))
        if request.prune_under is not None:
            await self._until_resumed()
            self._pruned = (await self._prune(request.prune_under)).pruned
            _check_cancellation()

    async def _until_resumed(self) -> None:
        await workflow.wait_condition(lambda: not self._paused)

    async def _next_files(self) -> IngestFilesOutput:
        start = len(self._outcomes)
        self._begun = stop = min(start + FILES_AT_ONCE, self._request.total)
        output: IngestFilesOutput = await workflow.execute_activity(
            INGEST_FILES,
            IngestFilesInput(
                library_id=self._request.library_id,
                manifest=self._request.manifest,
                start=start,
                stop=stop,
                is_repeated=self._is_repeated,
                position=self._request.position,
                began_at=self._request.began_at,
                instance_id=self._request.instance_id,
            ),
            result_type=IngestFilesOutput,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=UNLIMITED_RETRY,
            cancellation_type=STOPPED,
        )
        return output

    async def _prune(self, prefix: str) -> PruneOutput:
        output: PruneOutput = await workflow.execute_activity(
            PRUNE,
            PruneInput(
                library_id=self._request.library_id,
                manifest=self._request.manifest,
                prefix=prefix,
                instance_id=self._request.instance_id,
            ),
            result_type=PruneOutput,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=UNLIMITED_RETRY,
            cancellation_type=STOPPED,
        )
        return output

    async def _remove(self) -> None:
        """Remove the documents that the ingestion added, then close it as cancelled."""
        error = None
        if workflow.patched(REMOVES_ADDED):
            try:
                self._mark_removed(await self._remove_added())
            except FailureError as failure:  # of a local activity, the cause alone
                error = f"Documents that it added may remain. {sentence(failure)}"
        self._close("cancelled", error)

    async def _remove_added(self) -> RemoveOutput:
        added = {i: o.version for i, o in enumerate(self._outcomes) if o.status == "added"}
        output: RemoveOutput = await workflow.execute_local_activity(
            REMOVE_ADDED,
            RemoveInput(
                library_id=self._request.library_id,
                manifest=self._request.manifest,
                position=self._request.position,
                began_at=self._request.began_at,
                versions={i: version for i, version in added.items() if version is not None},
                doubtful=[i for i, version in added.items() if version is None]
                + list(range(len(self._outcomes), self._begun)),
                instance_id=self._request.instance_id,
            ),
            result_type=RemoveOutput,
            start_to_close_timeout=REMOVAL_TIMEOUT,
            retry_policy=UNLIMITED_RETRY,
        )
        return output

    def _mark_removed(self, output: RemoveOutput) -> None:
        reported = len(self._outcomes)
        for place, outcome in enumerate(self._outcomes):
            if outcome.status == "added" and place not in output.kept:
                self._outcomes[place] = _removed_outcome(outcome.source)
        self._outcomes += [
            _removed_outcome(output.found[place])
            for place in sorted(output.found)
            if place >= reported
        ]

    def _set_paused(self, *, paused: bool) -> None:
        if self._paused != paused:
            self._paused = paused
            self._show("paused" if paused else "running")

    def _close(self, status: IngestStatus, error: str | None = None) -> None:
        self._status, self._error = status, error
        self._show(status)

    def _show(self, status: IngestStatus) -> None:
        """Publish the status as a search attribute, for listings."""
        workflow.upsert_search_attributes([STATUS.value_set(status)])


def _removed_outcome(source: str) -> FileOutcome:
    return FileOutcome(source=source, status="removed", detail="The ingestion was cancelled.")


def _check_cancellation() -> None:
    """Stop a cancelled ingestion after an activity that returned its output.

    A cancelled turn returns the outcomes that it has, and one may end before it is cancelled.

    Raises:
        CancelledError: cancellation was requested.
    """
    if workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError
