"""The activities of a model change: its steps, which the API does, one call after the other."""

from contextlib import suppress

from temporalio import activity

from core.contracts.names import (
    ABANDON_MODEL_CHANGE,
    COMPARE_MODELS,
    REVERT_MODEL,
    STAGE_EMBEDDINGS,
    SWITCH_MODEL,
)
from core.contracts.reembed import AbandonInput, AbandonOutput, AdvanceInput, AdvanceOutput
from core.domain.model_change import ModelChangeState
from nalanda import AsyncNalanda, ConflictError, NotFoundError


class Reembed:
    """The activities of model changes; `client` waits as long as a switch takes."""

    def __init__(self, client: AsyncNalanda) -> None:
        self._client = client

    @activity.defn(name=STAGE_EMBEDDINGS)
    async def stage(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given)

    @activity.defn(name=COMPARE_MODELS)
    async def compare(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given)

    @activity.defn(name=SWITCH_MODEL)
    async def switch(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given)

    @activity.defn(name=REVERT_MODEL)
    async def revert(self, given: AdvanceInput) -> AdvanceOutput:
        return await self._advance(given)

    @activity.defn(name=ABANDON_MODEL_CHANGE)
    async def abandon(self, given: AbandonInput) -> AbandonOutput:
        """Cancel the change, unless it has ended."""
        with suppress(ConflictError, NotFoundError):
            await self._client.libraries.cancel_model_change(given.library_id)
        return AbandonOutput()

    async def _advance(self, given: AdvanceInput) -> AdvanceOutput:
        """Do steps until the change has another state, from the place of the last attempt on."""
        details = activity.info().heartbeat_details
        after = str(details[0]) if details else ""
        while True:
            step = await self._client.libraries.advance_model_change(
                given.library_id, model=given.model, state=given.state.value, after=after
            )
            if step.state != given.state:
                return AdvanceOutput(state=ModelChangeState(step.state), error=step.error)
            after = step.after
            activity.heartbeat(after)
