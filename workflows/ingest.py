"""The workflow of an ingestion: the files of a manifest, a few at a time, then the pruning."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

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
    )
    from core.contracts.names import (
        INGEST_FILES,
        INGEST_WORKFLOW,
        OUTCOMES_QUERY,
        PAUSE_SIGNAL,
        PROGRESS_QUERY,
        PRUNE,
        RESUME_SIGNAL,
    )
    from workflows.failures import sentence
    from workflows.policies import HEARTBEAT, PATIENCE, STOPPED
    from workflows.search_attributes import STATUS

FILES_AT_ONCE = 25
"""Files of one activity. Each activity costs a round trip, and a pause takes effect after one."""

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
        self._pruned = 0
        self._status: IngestStatus = "running"
        self._error: str | None = None

    @workflow.run
    async def run(self, request: IngestRequest) -> IngestProgress:
        """Ingest the files, and return the counts.

        Raises:
            ActivityError: an error that all further files would meet.
        """
        try:
            await self._ingest(request)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) or is_cancelled_exception(error):
                self._close("cancelled")
            elif isinstance(error, ActivityError):
                self._close("failed", sentence(error))
            raise
        self._close("completed")
        return self.progress()

    @workflow.query(name=PROGRESS_QUERY)
    def progress(self) -> IngestProgress:
        """Return the counts so far."""
        counts = {"added": 0, "changed": 0, "unchanged": 0, "failed": 0}
        for outcome in self._outcomes:
            counts[outcome.status] += 1
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
            self._outcomes += (await self._next_files()).outcomes
            _check_cancellation()
            if workflow.info().is_continue_as_new_suggested():
                state = {"outcomes": self._outcomes, "paused": self._paused}
                workflow.continue_as_new(request.model_copy(update=state))
        if request.prune_under is not None:
            await self._until_resumed()
            self._pruned = (await self._prune(request.prune_under)).pruned
            _check_cancellation()

    async def _until_resumed(self) -> None:
        await workflow.wait_condition(lambda: not self._paused)

    async def _next_files(self) -> IngestFilesOutput:
        start = len(self._outcomes)
        stop = min(start + FILES_AT_ONCE, self._request.total)
        output: IngestFilesOutput = await workflow.execute_activity(
            INGEST_FILES,
            IngestFilesInput(
                library_id=self._request.library_id,
                manifest=self._request.manifest,
                start=start,
                stop=stop,
                position=self._request.position,
                instance_id=self._request.instance_id,
            ),
            result_type=IngestFilesOutput,
            start_to_close_timeout=timedelta(hours=2),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=PATIENCE,
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
            retry_policy=PATIENCE,
            cancellation_type=STOPPED,
        )
        return output

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


def _check_cancellation() -> None:
    """Stop a cancelled ingestion after an activity that ended before its next heartbeat.

    Only the response to a heartbeat cancels an activity. One that ends first returns its output.

    Raises:
        CancelledError: cancellation was requested.
    """
    if workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError
