"""Scripted activities of a model change, and the start of its workflow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from core.contracts.names import (
    ABANDON_MODEL_CHANGE,
    COMPARE_MODELS,
    REVERT_MODEL,
    STAGE_EMBEDDINGS,
    SWITCH_MODEL,
)
from core.contracts.reembed import (
    AbandonInput,
    AbandonOutput,
    AdvanceInput,
    AdvanceOutput,
    ReembedRequest,
    ReembedResult,
)
from core.domain.model_change import ModelChangeState
from workflows.reembed import ReembedWorkflow

HEARTBEAT_THROTTLE = timedelta(seconds=0.1)

State = ModelChangeState


class ReembedScript:
    """Activities that all succeed, but for the state `failing`; `held` waits in its activity.

    A silent script sends no heartbeats, so that no cancellation reaches it.
    """

    def __init__(
        self, *, failing: State | None = None, held: State | None = None, silent: bool = False
    ) -> None:
        self.given: list[AdvanceInput] = []
        self.abandoned: list[str] = []
        self.reached = asyncio.Event()
        self.release = asyncio.Event()
        self._failing = failing
        self._held = held
        self._silent = silent

    @activity.defn(name=STAGE_EMBEDDINGS)
    async def stage(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given, State.COMPARING)

    @activity.defn(name=COMPARE_MODELS)
    async def compare(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given, State.SWITCHING)

    @activity.defn(name=SWITCH_MODEL)
    async def switch(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given, State.SWITCHED)

    @activity.defn(name=REVERT_MODEL)
    async def revert(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given, State.REVERTED)

    @activity.defn(name=ABANDON_MODEL_CHANGE)
    async def abandon(self, given: AbandonInput) -> AbandonOutput:
        self.abandoned.append(given.library_id)
        return AbandonOutput()

    @asynccontextmanager
    async def served(self, client: Client, *, sandboxed: bool = True) -> AsyncIterator[str]:
        """Run a worker with the activities, and yield its queue."""
        queue = f"reembed-{uuid4()}"
        async with Worker(
            client,
            task_queue=queue,
            workflows=[ReembedWorkflow],
            activities=[self.stage, self.compare, self.switch, self.revert, self.abandon],
            workflow_runner=SandboxedWorkflowRunner() if sandboxed else UnsandboxedWorkflowRunner(),
            max_heartbeat_throttle_interval=HEARTBEAT_THROTTLE,
        ):
            yield queue

    async def _advance(self, given: AdvanceInput, following: State) -> AdvanceOutput:
        self.given.append(given)
        if given.state is self._failing:
            return AdvanceOutput(state=State.FAILED, error="The chunk 'c' has no text to embed.")
        if given.state is self._held:
            self.reached.set()
            while not self.release.is_set():
                if not self._silent:
                    activity.heartbeat()
                await asyncio.sleep(0.02)
        return AdvanceOutput(state=following)


async def start_change(
    client: Client, queue: str, *, revert: bool = False
) -> WorkflowHandle[ReembedWorkflow, ReembedResult]:
    return await client.start_workflow(
        ReembedWorkflow.run,
        ReembedRequest(library_id="l", model="new", revert=revert),
        id=f"reembed-{uuid4()}",
        task_queue=queue,
    )
