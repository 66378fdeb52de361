"""Start of the workflow of a model change or a revert; one at a time for each library."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.common import (
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from api.temporal import CALL_S, Temporal
from api.workflow_starts import (
    DEAD_WORKER_AFTER,
    FINGERPRINT_MEMO,
    StartedWorkflow,
    reuse_start,
)
from core.bootstrap import Core
from core.contracts.names import REEMBED_WORKFLOW, ingest_queue_of, reembed_id
from core.contracts.reembed import ReembedRequest
from core.domain.errors import Conflict, NotFound, Unavailable
from core.domain.model_change import ModelChange
from core.settings import Settings
from workflows.search_attributes import initial_attributes

KEY_MEMO = "idempotency_key"

ENDING_S = 3.0
"""Time for the workflow of a change that has ended to close, before it is terminated."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A change that the record has begun; `before` is the one before it."""

    library_id: str
    model: str
    before: ModelChange | None
    revert: bool = False


Begin: TypeAlias = Callable[[str], Begun]
"""Begins a change in the record; takes the workflow's id. Blocking."""


def begin_change(core: Core, library: str, model: str) -> Begin:
    """Return a function that begins a change to the model.

    Raises (when called):
        NotFound, Invalid, Conflict: as `ModelChangeService.check`.
    """

    def begin(workflow_id: str) -> Begun:
        current = core.model_changes.check(library, model)
        before = core.model_changes.begin(current, model, workflow_id)
        return Begun(current.id, model, before)

    return begin


def begin_revert(core: Core, library: str) -> Begin:
    """Return a function that begins the revert of the last change.

    Raises (when called):
        NotFound, Conflict: as `ModelChangeService.check_revertable`.
    """

    def begin(workflow_id: str) -> Begun:
        current, change = core.model_changes.check_revertable(library)
        before = core.model_changes.begin_revert(change, workflow_id)
        return Begun(current.id, change.old_model, before, revert=True)

    return begin


class ModelChangeStarts:
    """The starts of model changes, one at a time.

    The record begins a change just before its workflow starts. `lock` excludes other starts, and
    readers that would see the one without the other.
    """

    def __init__(self, temporal: Temporal, settings: Settings) -> None:
        self._temporal = temporal
        self._settings = settings
        self.lock = asyncio.Lock()

    async def start(
        self, core: Core, library: str, begin: Begin, what: str, *, key: str | None
    ) -> StartedWorkflow:
        """Start a change, or find the one that the key has started; `what` describes the request.

        Raises:
            NotFound, Invalid: as `begin`; Invalid also if the key was used for another request.
            Conflict: as `begin`, or a change is in progress.
            Unavailable: Temporal is unreachable.
        """
        async with self.lock, self._temporal.calls(CALL_S + ENDING_S) as client:
            current, change = (await run_in_threadpool(core.model_changes.get, library)).value
            instance_id = core.store.instance_id
            workflow_id = reembed_id(instance_id, current.id)
            fingerprint = hashlib.sha256(f"{current.id}\n{what}".encode()).hexdigest()
            description = await describe(client, workflow_id)
            if description is not None:
                if key is not None and await _key_of(description) == key:
                    return await reuse_start(description, fingerprint)
                if is_running(description):
                    if change is not None and change.state.in_progress:
                        raise Conflict("A change of the library's model is in progress.")
                    await _wait_for_end(client, workflow_id)
            begun = await run_in_threadpool(begin, workflow_id)
            memo = {FINGERPRINT_MEMO: fingerprint} | ({KEY_MEMO: key} if key else {})
            try:
                run_id = await self._start_workflow(client, workflow_id, instance_id, begun, memo)
            except BaseException:
                with suppress(NotFound):  # the library is deleted
                    core.model_changes.undo_begin(begun.library_id, begun.before)
                raise
        return StartedWorkflow(workflow_id, run_id)

    async def _start_workflow(
        self,
        client: Client,
        workflow_id: str,
        instance_id: str,
        begun: Begun,
        memo: dict[str, str],
    ) -> str:
        """Start the workflow, in place of one that has nothing left to do; return the run's id."""
        request = ReembedRequest(
            library_id=begun.library_id,
            model=begun.model,
            revert=begun.revert,
            instance_id=instance_id,
        )
        handle = await client.start_workflow(
            REEMBED_WORKFLOW,
            request,
            id=workflow_id,
            task_queue=ingest_queue_of(instance_id, self._settings.task_queue),
            task_timeout=DEAD_WORKER_AFTER,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            static_summary=f"{'back to' if begun.revert else 'to'} {begun.model}"[:200],
            memo=memo,
            search_attributes=initial_attributes(begun.library_id),
        )
        return handle.result_run_id or ""


async def _starts(request: Request) -> ModelChangeStarts:
    starts: ModelChangeStarts = request.app.state.model_change_starts
    return starts


ModelChangeStartsOf = Annotated[ModelChangeStarts, Depends(_starts)]


async def describe(client: Client, workflow_id: str) -> WorkflowExecutionDescription | None:
    """Return the latest run of a library's changes; `None` if the cluster has none."""
    try:
        return await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def is_running(description: WorkflowExecutionDescription) -> bool:
    return description.status is WorkflowExecutionStatus.RUNNING


async def _key_of(description: WorkflowExecutionDescription) -> str | None:
    key: str | None = await description.memo_value(KEY_MEMO, default=None)
    return key


async def cancel_workflow(temporal: Temporal, workflow_id: str) -> None:
    """Cancel the workflow of a change that is cancelled on record.

    Where Temporal is unreachable, the workflow ends at its next step.
    """
    with suppress(RPCError, Unavailable):
        async with temporal.calls() as client:
            await client.get_workflow_handle(workflow_id).cancel()


async def _wait_for_end(client: Client, workflow_id: str) -> None:
    """Wait for a workflow that is about to close."""
    try:
        async with asyncio.timeout(ENDING_S):
            await client.get_workflow_handle(workflow_id).result()
    except (TimeoutError, WorkflowFailureError):
        pass
