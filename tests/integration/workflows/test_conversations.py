"""Conversations on a real server, with fake activities."""

import asyncio
import uuid

import pytest
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError

from core.contracts.conversation import (
    CONTEXT_TURNS,
    MAX_ANSWER_CHARS,
    MAX_QUERY_CHARS,
    MAX_TURNS,
    TURNS_PER_RUN,
    ConversationState,
    StartedTurn,
    Turn,
    TurnRequest,
)
from core.contracts.query import (
    AnswerOutput,
    EarlierTurn,
    PreprocessInput,
    PreprocessOutput,
    QueryRequest,
    Stage,
)
from core.contracts.review import Review
from tests.integration.workflows.stages import (
    REQUEST,
    REVIEWED,
    WAIT_S,
    Stages,
    refused,
    start_question,
    until_awaited,
)
from tests.integration.workflows.talks import (
    STATE,
    THEN,
    Talk,
    ask,
    begin,
    turn,
    turns_of,
    until_ended,
)
from workflows.conversation import ConversationWorkflow
from workflows.query import QueryWorkflow


async def refusal(talk: Talk, request: TurnRequest) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as failure:
        await ask(talk, request)
    assert isinstance(failure.value.cause, ApplicationError)
    return failure.value.cause


async def runs_of(client: Client, talk: Talk) -> int:
    """Count the runs of the workflow, from the last one back to the first."""
    runs, run_id = 0, ""
    while runs == 0 or run_id:
        handle = client.get_workflow_handle(talk.id, run_id=run_id or None)
        first = await anext(handle.fetch_history_events(page_size=1))
        run_id = first.workflow_execution_started_event_attributes.continued_execution_run_id
        runs += 1
    return runs


async def test_twelve_turns_with_a_worker_that_restarts(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.PREPROCESS] = _condense
    queue = f"test-{uuid.uuid4()}"
    async with stages.run_worker(temporal, queue):
        talk = await begin(temporal, queue)
        for number in range(7):
            await ask(talk, turn(f"Question {number}?"))
            await until_ended(talk, number + 1)
    async with stages.run_worker(temporal, queue):
        for number in range(7, 12):
            await ask(talk, turn(f"Question {number}?"))
            await until_ended(talk, number + 1)
        turns = await turns_of(talk)
        assert [each.query for each in turns] == [f"Question {number}?" for number in range(12)]
        assert {(each.status, each.answer) for each in turns} == {("completed", "So.")}
        assert [each.condensed_query for each in turns[:2]] == [None, "1 after Question 0?"]
        assert all(each.ended_at and each.ended_at >= each.asked_at for each in turns)
        given = [seen.turns for name, seen in stages.seen if name == Stage.PREPROCESS]
        assert [len(earlier) for earlier in given] == [min(n, CONTEXT_TURNS) for n in range(12)]
        assert given[2][1] == EarlierTurn(
            query="Question 1?", condensed_query="1 after Question 0?", answer="So."
        )
        assert await runs_of(temporal, talk) == 1 + 12 // TURNS_PER_RUN == 3
        question = temporal.get_workflow_handle(turns[-1].workflow_id)
        described = await question.describe()
        assert await described.memo_value("query") == "Question 11?"


def _condense(given: PreprocessInput) -> PreprocessOutput | None:
    if not given.turns:
        return None
    condensed = f"{len(given.turns)} after {given.turns[-1].query}"
    return PreprocessOutput(query=condensed, embedding="AAAA", is_condensed=True)


async def test_a_failed_condensing_is_in_the_result(temporal: Client) -> None:
    failed = PreprocessOutput(query="How?", embedding="AAAA", condense_failure="It is down.")
    stages = Stages({Stage.PREPROCESS: lambda _: failed, Stage.RERANK: refused})
    async with stages.run_worker(temporal) as queue:
        question = REQUEST.model_copy(update={"turns": [EarlierTurn(query="Why?")]})
        result = await (await start_question(temporal, queue, question)).result()
    assert result.condensed_query is None
    assert result.degraded == ["condense", "rerank"]
    assert result.degraded_because["condense"] == "It is down."


async def test_the_question_of_a_reviewer_is_not_condensed(temporal: Client) -> None:
    stages = Stages({Stage.PREPROCESS: _condense})
    async with stages.run_worker(temporal) as queue:
        question = REVIEWED.model_copy(update={"turns": [EarlierTurn(query="Why?")]})
        handle = await start_question(temporal, queue, question)
        await until_awaited(handle)
        reviewed = Review(decision="approve", query="When?")
        await handle.execute_update(QueryWorkflow.review, reviewed)
        result = await handle.result()
    assert result.condensed_query is None
    assert [given.turns for name, given in stages.seen if name == Stage.PREPROCESS][1] == []


async def test_one_turn_at_a_time(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.ANSWER] = stages.wait_for_release
    async with stages.run_worker(temporal) as queue:
        talk = await begin(temporal, queue)
        first = turn()
        started = await ask(talk, first)
        assert started.run_id is not None
        error = await refusal(talk, turn())
        assert (error.type, error.details) == ("TurnRuns", (first.workflow_id,))
        assert await ask(talk, first) == StartedTurn()
        assert [each.status for each in await turns_of(talk)] == ["running"]
        stages.released.set()
        await until_ended(talk, 1)
        assert await ask(talk, first) == StartedTurn()
        await ask(talk, turn())
        await until_ended(talk, 2)


async def test_a_question_that_exists_already_is_no_turn(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        talk, other = await begin(temporal, queue), await begin(temporal, queue)
        first = turn()
        await ask(other, first)
        assert await ask(talk, first) == StartedTurn()
        assert await turns_of(talk) == []
        await ask(talk, turn())
        await until_ended(talk, 1)


async def test_the_ends_of_turns(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        talk = await begin(temporal, queue)
        stages.instead[Stage.RETRIEVE] = refused
        await ask(talk, turn())
        assert (await until_ended(talk, 1))[0].status == "failed"
        for number, end in enumerate(("cancel", "terminate"), start=2):
            stages.instead = {Stage.RETRIEVE: stages.hold}
            stages.held.clear()
            request = turn()
            await ask(talk, request)
            await stages.held.wait()
            await getattr(temporal.get_workflow_handle(request.workflow_id), end)()
            await until_ended(talk, number)
        stages.held.clear()
        await ask(talk, turn(deadline_s=0.2))
        await until_ended(talk, 4)
        ends = [each.status for each in await turns_of(talk)]
        assert ends == ["failed", "cancelled", "failed", "timed_out"]
        stages.instead = {Stage.ANSWER: _nothing}
        await ask(talk, turn(answer=True))
        last = (await until_ended(talk, 5))[-1]
        assert (last.status, last.answer, last.reason) == ("completed", None, "nothing_relevant")


def _nothing(_: object) -> AnswerOutput:
    return AnswerOutput(answer=None, citations=[], provider="fake", model="m")


async def test_a_turn_to_another_library_is_refused(temporal: Client) -> None:
    async with Stages().run_worker(temporal) as queue:
        state = STATE.model_copy(update={"library_id": "library"})
        talk = await begin(temporal, queue, state)
        assert (await refusal(talk, turn(library_id="other"))).type == "WrongLibrary"
        await ask(talk, turn())
        await until_ended(talk, 1)


async def test_what_a_conversation_keeps_is_bounded(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.ANSWER] = _at_length
    kept = [
        Turn(workflow_id=f"query-{n}", query="Q", status="completed", asked_at=THEN)
        for n in range(MAX_TURNS)
    ]
    async with stages.run_worker(temporal) as queue:
        state = STATE.model_copy(update={"turns": kept, "created_at": THEN})
        talk = await begin(temporal, queue, state)
        await ask(talk, turn("long " * MAX_QUERY_CHARS))
        turns = await until_ended(talk, MAX_TURNS)
        assert [each.workflow_id for each in turns[:-1]] == [each.workflow_id for each in kept[1:]]
        assert len(turns[-1].query) == MAX_QUERY_CHARS
        assert len(turns[-1].answer or "") == MAX_ANSWER_CHARS
        assert (await talk.query(ConversationWorkflow.conversation)).created_at == THEN


def _at_length(_: object) -> AnswerOutput:
    return AnswerOutput(answer="word " * 1000, citations=[], provider="fake", model="m")


async def test_an_idle_conversation_ends_and_its_question_goes_on(temporal: Client) -> None:
    async with Stages().run_worker(temporal) as queue:
        idle = await begin(temporal, queue, ConversationState(idle_s=0.1))
        async with asyncio.timeout(WAIT_S):
            await idle.result()


async def test_a_question_outlives_its_conversation(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.ANSWER] = stages.wait_for_release
    async with stages.run_worker(temporal) as queue:
        for end in ("terminate", "cancel"):
            stages.released.clear()
            stages.held.clear()
            talk, request = await begin(temporal, queue), turn()
            await ask(talk, request)
            await stages.held.wait()
            await getattr(talk, end)()
            with pytest.raises(WorkflowFailureError):
                await talk.result()
            stages.released.set()
            question = temporal.get_workflow_handle(request.workflow_id)
            await question.result()
            assert (await question.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_a_question_without_a_conversation_has_no_turns() -> None:
    assert QueryRequest(library_id="l", query="q", embedding_model=None).turns == []
