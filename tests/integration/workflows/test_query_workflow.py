"""The stages of a question on a real server, with fake activities."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError

from core.contracts.budget import Usage
from core.contracts.query import (
    AnswerInput,
    AnswerOutput,
    Feedback,
    PreprocessInput,
    QueryRequest,
    RerankOutput,
    RetrieveInput,
    RetrieveOutput,
    Stage,
)
from tests.integration.workflows.stages import (
    HITS,
    REQUEST,
    WAIT_S,
    Stages,
    refused,
    root,
    start_question,
    until,
)
from workflows.policies import FALLBACK_RETRY
from workflows.query import QueryWorkflow


async def test_a_question_goes_through_four_stages(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        result = await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
        again = await handle.query(QueryWorkflow.result)

    assert stages.names == list(Stage)
    given = dict(stages.seen)
    assert given[Stage.PREPROCESS] == PreprocessInput(query=" How? ", embedding_model="model")
    search = {"library_id": "library", "query": "How?", "embedding": "AAAA", "k": 4}
    expected = {**search, "embedding_model": "model", "min_position": 3}
    assert given[Stage.RETRIEVE] == RetrieveInput.model_validate(expected)
    assert (given[Stage.RERANK].hits, given[Stage.RERANK].top_n, given[Stage.RERANK].position) == (
        HITS,
        2,
        9,
    )
    assert [hit.chunk_id for hit in given[Stage.ANSWER].hits] == ["c2", "c0"]

    assert (result.answer, result.provider, result.model) == ("So.", "fake", "m")
    assert [(hit.chunk_id, hit.rerank_score) for hit in result.hits] == [("c2", 0.9), ("c0", None)]
    assert (result.position, result.degraded) == (9, [])
    assert result.usage == Usage(input_tokens=5, output_tokens=8, search_units=2)
    assert list(result.timings_ms) == [*Stage, "total"]
    assert sum(result.timings_ms.values()) <= 2 * result.timings_ms["total"]
    assert again == result

    assert (progress.status, progress.stage, progress.error) == ("completed", Stage.ANSWER, None)
    assert [(s.name, s.status, s.attempt) for s in progress.stages] == [
        (Stage.PREPROCESS, "completed", 1),
        (Stage.RETRIEVE, "completed", 1),
        (Stage.RERANK, "completed", 3),
        (Stage.ANSWER, "completed", 1),
    ]
    assert all(s.started_at and s.ended_at and s.started_at <= s.ended_at for s in progress.stages)


async def test_without_answer_the_last_stage_is_skipped(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue, REQUEST.model_copy(update={"answer": False}))
        result = await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert stages.names == [Stage.PREPROCESS, Stage.RETRIEVE, Stage.RERANK]
    assert (result.answer, result.reason, len(result.hits)) == (None, "not_asked", 2)
    assert result.degraded == []
    assert progress.stages[-1].status == "skipped"


async def test_without_reranker_hits_stay_as_retrieved(temporal: Client) -> None:
    stages = Stages(instead={Stage.RERANK: refused})
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        result = await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert (result.hits, result.degraded, result.answer) == (HITS[:2], ["rerank"], "So.")
    assert result.degraded_because == {"rerank": "It will never do."}
    assert (progress.stages[2].status, progress.stages[2].attempt) == ("failed", 7)


async def test_without_answerer_the_sources_are_quoted(temporal: Client) -> None:
    def no_model(given: AnswerInput) -> None:
        if not given.extractive:
            refused()

    stages = Stages(instead={Stage.ANSWER: no_model})
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        result = await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert (result.answer, result.degraded) == ("As the sources say.", ["answer"])
    assert result.degraded_because == {"answer": "It will never do."}
    assert progress.stages[3].status == "completed"


@pytest.mark.parametrize("stage", [Stage.RERANK, Stage.ANSWER])
async def test_an_api_that_is_away_is_waited_for(temporal: Client, stage: str) -> None:
    stages = Stages()

    def away_for_a_while(_: object) -> None:
        if stages.names.count(stage) <= FALLBACK_RETRY.maximum_attempts:
            raise ApplicationError(
                "Nobody is there.",
                type="ConnectionFailed",
                next_retry_delay=timedelta(milliseconds=1),
            )

    stages.instead[stage] = away_for_a_while
    async with stages.run_worker(temporal) as queue:
        result = await (await start_question(temporal, queue)).result()
    assert (result.answer, result.degraded) == ("So.", [])


@pytest.mark.parametrize("stage", [Stage.RERANK, Stage.ANSWER])
async def test_what_the_api_refuses_is_no_reason_to_degrade(temporal: Client, stage: str) -> None:
    def gone(_: object) -> None:
        raise ApplicationError("No such library.", type="NotFoundError", non_retryable=True)

    async with Stages(instead={stage: gone}).run_worker(temporal) as queue:
        with pytest.raises(WorkflowFailureError) as failure:
            await (await start_question(temporal, queue)).result()
    assert isinstance(error := root(failure.value), ApplicationError)
    assert error.type == "NotFoundError"


async def test_a_changed_chunk_is_named_and_left_out(temporal: Client) -> None:
    stages = Stages(
        instead={
            Stage.RERANK: lambda _: RerankOutput(hits=[HITS[0], HITS[1]], changed=["c3"]),
            Stage.ANSWER: lambda _: AnswerOutput(
                answer="So.", citations=[], provider="p", model="m", changed=["c0"]
            ),
        }
    )
    async with stages.run_worker(temporal) as queue:
        result = await (await start_question(temporal, queue)).result()
    assert result.degraded == ["changed:c3", "changed:c0"]
    assert result.hits == [HITS[1]]


@pytest.mark.parametrize("stage", [Stage.PREPROCESS, Stage.RETRIEVE])
async def test_nothing_stands_in_for_the_first_stages(temporal: Client, stage: str) -> None:
    stages = Stages(instead={stage: refused})
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
        assert await handle.query(QueryWorkflow.result) is None
    error = root(failure.value)
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("ProviderRejected", "It will never do.")
    assert (progress.status, progress.stage) == ("failed", stage)
    assert progress.error == "It will never do."


async def test_cancel_stops_the_running_activity(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.RERANK] = stages.hold
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert stages.stopped.is_set()
        progress = await handle.query(QueryWorkflow.progress)
        described = await handle.describe()
    assert isinstance(failure.value.cause, CancelledError)
    assert described.status is WorkflowExecutionStatus.CANCELED
    assert described.search_attributes["NalandaStatus"] == ["cancelled"]
    assert [s.status for s in progress.stages] == ["completed", "completed", "cancelled", "pending"]
    assert progress.status == "cancelled"
    assert stages.names == [Stage.PREPROCESS, Stage.RETRIEVE, Stage.RERANK]


@pytest.mark.parametrize("stage", [Stage.RERANK, Stage.ANSWER])
async def test_cancel_begins_no_other_stage(temporal: Client, stage: str) -> None:
    async def finish_all_the_same(given: object) -> None:
        with suppress(asyncio.CancelledError):
            await stages.hold(given)

    stages = Stages(instead={stage: finish_all_the_same})
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)
    assert stages.names[-1] == stage


async def test_what_is_known_can_be_asked_while_it_runs(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.ANSWER] = stages.hold
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        result = await handle.query(QueryWorkflow.result)
        progress = await handle.query(QueryWorkflow.progress)
        await handle.cancel()
    assert result is not None
    assert ([hit.chunk_id for hit in result.hits], result.answer) == (["c2", "c0"], None)
    assert (progress.status, progress.stage) == ("running", Stage.ANSWER)
    assert (progress.stages[3].status, progress.stages[3].ended_at) == ("running", None)


async def test_feedback_is_kept_and_refused_once_closed(temporal: Client) -> None:
    stages = Stages()
    received = asyncio.Event()

    async def wait_for_feedback(_: object) -> None:
        stages.held.set()
        await received.wait()

    stages.instead[Stage.ANSWER] = wait_for_feedback
    feedback = Feedback(rating=1, comment="yes")
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        await handle.signal(QueryWorkflow.feedback, feedback)
        received.set()
        await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
        with pytest.raises(RPCError):
            await handle.signal(QueryWorkflow.feedback, feedback)
    assert progress.feedback == [feedback]


async def test_no_hits_are_no_failure(temporal: Client) -> None:
    stages = Stages(
        instead={
            Stage.RETRIEVE: lambda _: RetrieveOutput(hits=[], position=9),
            Stage.RERANK: lambda _: RerankOutput(hits=[]),
        }
    )
    async with stages.run_worker(temporal) as queue:
        result = await (await start_question(temporal, queue)).result()
    assert (result.hits, result.answer, result.degraded) == ([], "So.", [])
    assert result.reason is None


async def test_an_answerer_without_an_answer_found_nothing_relevant(temporal: Client) -> None:
    nothing = AnswerOutput(answer=None, citations=[], provider="p", model="m")
    stages = Stages(instead={Stage.ANSWER: lambda _: nothing})
    async with stages.run_worker(temporal) as queue:
        result = await (await start_question(temporal, queue)).result()
    assert (result.answer, result.reason, result.provider) == (None, "nothing_relevant", "p")


async def test_questions_are_found_by_their_search_attributes(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.RERANK] = stages.hold
    request: QueryRequest = REQUEST.model_copy(update={"library_id": "only-here"})

    async def listed(stage: str, status: str) -> bool:
        wanted = (
            f"NalandaLibrary='only-here' AND NalandaStage='{stage}' AND NalandaStatus='{status}'"
        )
        return [w.id async for w in temporal.list_workflows(wanted)] == [handle.id]

    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue, request)
        await until(lambda: listed("rerank", "running"))
        await handle.cancel()
        await until(lambda: listed("rerank", "cancelled"))
