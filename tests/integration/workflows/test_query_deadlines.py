"""The deadline of a question on a real server, with fake activities."""

import asyncio
import uuid
from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from core.contracts.query import QueryResult, Stage
from tests.integration.workflows.stages import REQUEST, WAIT_S, Stages, root, start_question
from workflows.query import QueryWorkflow

LONGEST_DEADLINE_S = 60.0


async def pass_deadline_in(
    stage: Stage, stages: Stages, temporal: Client, queue: str
) -> tuple[WorkflowHandle[QueryWorkflow, QueryResult], float]:
    """Return a question whose deadline passed while `stage` was held, and the deadline in seconds.

    A busy machine may take longer to reach the stage, so the deadline doubles until one is enough.
    """
    stages.instead[stage] = stages.hold
    deadline_s = 0.5
    while deadline_s < LONGEST_DEADLINE_S:
        request = REQUEST.model_copy(update={"deadline_s": deadline_s})
        handle = await start_question(temporal, queue, request)
        with suppress(WorkflowFailureError):
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
        if progress.stage == stage and stages.held.is_set():
            return handle, deadline_s
        deadline_s *= 2
    pytest.fail(f"No question reached the stage {stage} in time.")


@pytest.mark.parametrize("stage", [Stage.RERANK, Stage.ANSWER])
async def test_at_the_deadline_it_ends_with_what_it_has(temporal: Client, stage: Stage) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        handle, deadline_s = await pass_deadline_in(stage, stages, temporal, queue)
        result = await handle.result()
        await asyncio.wait_for(stages.stopped.wait(), WAIT_S)
        progress = await handle.query(QueryWorkflow.progress)
    assert (result.degraded, result.answer, len(result.hits)) == (["deadline"], None, 2)
    assert result.reason == "deadline"
    assert result.degraded_because == {"deadline": f"The stage {stage} was not done by then."}
    assert result.timings_ms["total"] >= deadline_s * 1000
    assert progress.status == "completed"


async def test_at_the_deadline_without_hits_it_fails(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        handle, deadline_s = await pass_deadline_in(Stage.RETRIEVE, stages, temporal, queue)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    error = root(failure.value)
    assert isinstance(error, ApplicationError)
    assert (error.type, progress.status) == ("DeadlineExceeded", "timed_out")
    assert progress.error == (
        f"Nothing was found within {deadline_s} s. The stage retrieve was not done by then."
    )


def busy(*_: object) -> Any:
    raise ApplicationError("Too many requests.", type="ProviderUnavailable")


async def test_a_deadline_tells_the_last_failure_of_a_stage_that_is_tried(
    temporal: Client,
) -> None:
    stages = Stages()

    def busy_then_slow(given: object) -> Any:
        return busy() if stages.names.count(Stage.RERANK) == 1 else stages.hold(given)

    stages.instead[Stage.RERANK] = busy_then_slow
    async with stages.run_worker(temporal) as queue:
        request = REQUEST.model_copy(update={"deadline_s": 4.0})
        result = await (await start_question(temporal, queue, request)).result()
    assert (result.degraded, result.answer) == (["deadline"], None)
    assert result.degraded_because == {"deadline": "Too many requests."}


async def test_a_stage_without_a_fallback_is_given_up_when_no_attempt_is_left(
    temporal: Client,
) -> None:
    async with Stages(instead={Stage.PREPROCESS: busy}).run_worker(temporal) as queue:
        request = REQUEST.model_copy(update={"deadline_s": 2.0})
        handle = await start_question(temporal, queue, request)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    error = root(failure.value)
    assert isinstance(error, ApplicationError)
    assert (error.type, progress.status) == ("DeadlineExceeded", "timed_out")
    assert progress.error == "Nothing was found within 2.0 s. Too many requests."


async def test_a_fallback_is_used_when_no_attempt_is_left_before_the_deadline(
    temporal: Client,
) -> None:
    async with Stages(instead={Stage.RERANK: busy}).run_worker(temporal) as queue:
        request = REQUEST.model_copy(update={"deadline_s": 8.0})
        result = await (await start_question(temporal, queue, request)).result()
    assert (result.degraded, result.answer) == (["rerank"], "So.")
    assert result.degraded_because == {"rerank": "Too many requests."}


async def test_a_deadline_counts_from_when_the_question_came(temporal: Client) -> None:
    stages = Stages()
    queue = f"test-{uuid.uuid4()}"
    handle = await start_question(temporal, queue, REQUEST.model_copy(update={"deadline_s": 0.001}))
    async with stages.run_worker(temporal, queue):
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert "DeadlineExceeded" in str(root(failure.value))
    assert stages.names == []


async def test_no_stage_begins_after_a_deadline_that_is_shorter_than_a_timer(
    temporal: Client,
) -> None:
    stages = Stages(instead={Stage.PREPROCESS: lambda _: asyncio.sleep(0.06)})
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(
            temporal, queue, REQUEST.model_copy(update={"deadline_s": 0.05})
        )
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert "DeadlineExceeded" in str(root(failure.value))
    assert Stage.RETRIEVE not in stages.names  # a loaded machine may not even start the first stage
