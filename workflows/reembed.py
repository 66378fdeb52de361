"""The workflow of a model change: stage, compare, switch; or revert.

The record says where the change is. The workflow only asks for the next step, again and again
until it works, so that any process may be killed at any place.
"""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from core.contracts.names import (
        ABANDON_MODEL_CHANGE,
        COMPARE_MODELS,
        REEMBED_WORKFLOW,
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
    from workflows.policies import HEARTBEAT, STOPPED, UNLIMITED_RETRY
    from workflows.search_attributes import STATUS

_CHANGE = (
    (STAGE_EMBEDDINGS, ModelChangeState.STAGING),
    (COMPARE_MODELS, ModelChangeState.COMPARING),
    (SWITCH_MODEL, ModelChangeState.SWITCHING),
)
_REVERT = ((REVERT_MODEL, ModelChangeState.REVERTING),)

LONGEST = timedelta(days=7)
"""Time-out of one attempt at all steps of a state; a silent worker is found by its heartbeats."""


@workflow.defn(name=REEMBED_WORKFLOW)
class ReembedWorkflow:
    """A workflow that moves a library to another embedding model while it serves."""

    @workflow.run
    async def run(self, request: ReembedRequest) -> ReembedResult:
        """Advance the change until it has ended.

        Raises:
            ApplicationError: the change has failed; the library has the model that it had.
            ActivityError: the library is gone, or the change was cancelled.
        """
        try:
            state = await self._advance(request)
        except (asyncio.CancelledError, FailureError) as error:
            # An attempt that fails after the request ends the activity, with its own failure.
            if workflow.cancellation_reason() is not None or is_cancelled_exception(error):
                await self._abandon(request)
                _show("cancelled")
                raise asyncio.CancelledError from error
            _show("failed")
            raise
        _show("completed")
        return ReembedResult(state=state)

    async def _advance(self, request: ReembedRequest) -> ModelChangeState:
        output: AdvanceOutput | None = None
        for activity, state in _REVERT if request.revert else _CHANGE:
            output = await workflow.execute_activity(
                activity,
                AdvanceInput(
                    library_id=request.library_id,
                    model=request.model,
                    state=state,
                    instance_id=request.instance_id,
                ),
                result_type=AdvanceOutput,
                start_to_close_timeout=LONGEST,
                heartbeat_timeout=HEARTBEAT,
                retry_policy=UNLIMITED_RETRY,
                cancellation_type=STOPPED,
            )
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError
            if output.error is not None:
                raise ApplicationError(output.error, type="Failed", non_retryable=True)
        assert output is not None
        return output.state

    async def _abandon(self, request: ReembedRequest) -> None:
        await workflow.execute_activity(
            ABANDON_MODEL_CHANGE,
            AbandonInput(library_id=request.library_id, instance_id=request.instance_id),
            result_type=AbandonOutput,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=HEARTBEAT,
            retry_policy=UNLIMITED_RETRY,
        )


def _show(status: str) -> None:
    """Publish the status as a search attribute, for listings."""
    workflow.upsert_search_attributes([STATUS.value_set(status)])
