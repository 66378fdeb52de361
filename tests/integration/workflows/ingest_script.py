"""Scripted activities of an ingestion, and the start of its workflow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from core.contracts.ingest import (
    FileOutcome,
    IngestFilesInput,
    IngestFilesOutput,
    IngestProgress,
    IngestRequest,
    PruneInput,
    PruneOutput,
    RemoveInput,
    RemoveOutput,
)
from core.contracts.names import INGEST_FILES, PRUNE, REMOVE_ADDED
from workflows.ingest import IngestWorkflow

FILES_OF_A_TURN = 25
HEARTBEAT_THROTTLE = timedelta(seconds=0.1)


class IngestScript:
    """Activities that add every file, except the poisoned ones; `held` waits at a file.

    A silent script sends no heartbeats, so that no cancellation reaches it. `removal` is the output
    of a removal.
    """

    def __init__(
        self,
        *,
        poisoned: frozenset[int] = frozenset(),
        held: int | None = None,
        gone: bool = False,
        silent: bool = False,
        removal: RemoveOutput | None = None,
    ) -> None:
        self.given: list[IngestFilesInput] = []
        self.removals: list[RemoveInput] = []
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self._poisoned = poisoned
        self._held = held
        self._gone = gone
        self._silent = silent
        self._removal = removal

    @activity.defn(name=INGEST_FILES)
    async def ingest_files(self, given: IngestFilesInput) -> IngestFilesOutput:
        self.given.append(given)
        if self._gone:
            raise ApplicationError("There is no library 'l'.", non_retryable=True)
        stop = min(given.stop, given.start + FILES_OF_A_TURN)
        if self._held is not None and given.start <= self._held < stop:
            self.reached.set()
            while not self.release.is_set():
                if not self._silent:
                    activity.heartbeat()
                await asyncio.sleep(0.02)
        return IngestFilesOutput(outcomes=[self._outcome(i) for i in range(given.start, stop)])

    @activity.defn(name=PRUNE)
    async def prune(self, given: PruneInput) -> PruneOutput:
        return PruneOutput(pruned=len(given.prefix))

    @activity.defn(name=REMOVE_ADDED)
    async def remove_added(self, given: RemoveInput) -> RemoveOutput:
        self.removals.append(given)
        if self._removal is None:
            raise ApplicationError("This API is another instance.", non_retryable=True)
        return self._removal

    @asynccontextmanager
    async def served(self, client: Client, *, sandboxed: bool = True) -> AsyncIterator[str]:
        """Run a worker with the activities, and yield its queue."""
        queue = f"ingest-{uuid4()}"
        async with Worker(
            client,
            task_queue=queue,
            workflows=[IngestWorkflow],
            activities=[self.ingest_files, self.prune, self.remove_added],
            workflow_runner=SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner(),
            max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        ):
            yield queue

    def _outcome(self, number: int) -> FileOutcome:
        source = f"{number}.md"
        if number in self._poisoned:
            return FileOutcome(source=source, status="failed", detail="It is poisoned.")
        return FileOutcome(source=source, status="added", chunks=2, version=100 + number)


async def start_ingestion(
    client: Client, queue: str, **request: object
) -> WorkflowHandle[IngestWorkflow, IngestProgress]:
    given = {"library_id": "l", "manifest": "a" * 64, "total": 60, **request}
    return await client.start_workflow(
        IngestWorkflow.run,
        IngestRequest.model_validate(given),
        id=f"ingestion-{uuid4()}",
        task_queue=queue,
    )
