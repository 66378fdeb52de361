"""ReembedWorkflow on a real server, in the sandbox, with scripted activities."""

import asyncio

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from core.domain.model_change import ModelChangeState
from tests.integration.workflows.reembed_script import ReembedScript, start_change

DEADLINE_S = 60.0
State = ModelChangeState


async def test_a_change_stages_compares_and_switches(temporal: Client) -> None:
    script = ReembedScript()
    async with script.served(temporal) as queue:
        result = await (await start_change(temporal, queue)).result()
    assert result.state is State.SWITCHED
    assert [given.state for given in script.given] == [
        State.STAGING,
        State.COMPARING,
        State.SWITCHING,
    ]
    assert {(given.library_id, given.model) for given in script.given} == {("l", "new")}


async def test_a_revert_is_one_activity(temporal: Client) -> None:
    script = ReembedScript()
    async with script.served(temporal) as queue:
        result = await (await start_change(temporal, queue, revert=True)).result()
    assert result.state is State.REVERTED
    assert [given.state for given in script.given] == [State.REVERTING]


async def test_a_change_that_fails_says_why(temporal: Client) -> None:
    script = ReembedScript(failing=State.STAGING)
    async with script.served(temporal) as queue:
        with pytest.raises(WorkflowFailureError) as failure:
            await (await start_change(temporal, queue)).result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.message == "The chunk 'c' has no text to embed."
    assert len(script.given) == 1


@pytest.mark.parametrize("silent", [False, True])
async def test_a_cancelled_change_is_abandoned(temporal: Client, silent: bool) -> None:
    script = ReembedScript(held=State.STAGING, silent=silent)
    async with script.served(temporal) as queue:
        handle = await start_change(temporal, queue)
        await asyncio.wait_for(script.reached.wait(), DEADLINE_S)
        await handle.cancel()
        script.release.set()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert script.abandoned == ["l"]
    assert len(script.given) == 1
