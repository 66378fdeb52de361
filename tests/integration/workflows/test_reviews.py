"""Reviews and adjustments of questions on a real server, with fake activities."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError

from core.contracts.query import (
    Feedback,
    Preview,
    QueryRequest,
    RerankOutput,
    Stage,
)
from core.contracts.review import MAX_REVIEWS, Adjustment, Review
from tests.integration.workflows.stages import (
    HITS,
    REVIEWED,
    WAIT_S,
    Question,
    Stages,
    root,
    start_question,
    until,
    until_awaited,
)
from workflows.query import QueryWorkflow


@asynccontextmanager
async def waiting(
    temporal: Client, stages: Stages, request: QueryRequest = REVIEWED
) -> AsyncIterator[Question]:
    """Yield a question that waits for its review."""
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue, request)
        await until_awaited(handle)
        yield handle


async def review(handle: Question, **decided: Any) -> Preview:
    return await handle.execute_update(QueryWorkflow.review, Review(**decided))


async def refusal(handle: Question, **decided: Any) -> ApplicationError:
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await review(handle, **decided)
    assert isinstance(refused.value.cause, ApplicationError)
    return refused.value.cause


def ids(hits: list[Any]) -> list[str]:
    return [hit.chunk_id for hit in hits]


async def test_an_approved_question_is_answered_from_what_the_reviewer_leaves(
    temporal: Client,
) -> None:
    stages = Stages()
    async with waiting(temporal, stages) as handle:
        progress = await handle.query(QueryWorkflow.progress)
        offered = await handle.query(QueryWorkflow.preview)
        left = await review(handle, decision="approve", drop=["c0"], pin=["c3"])
        result = await handle.result()
        closed = await handle.query(QueryWorkflow.progress)
    assert offered is not None
    assert (ids(offered.hits), ids(offered.candidates)) == (["c2", "c0"], ["c1", "c3"])
    assert (offered.query, offered.position) == ("How?", 9)
    assert Preview(**dict(progress.reviews[0])) == offered
    assert [s.status for s in progress.stages] == [*["completed"] * 3, "pending"]
    assert (progress.status, progress.stage) == ("running", Stage.RERANK)
    assert (ids(left.hits), ids(left.candidates)) == (["c3", "c2"], ["c1", "c0"])
    assert ids(dict(stages.seen)[Stage.ANSWER].hits) == ["c3", "c2"]
    assert (ids(result.hits), result.answer, result.degraded) == (["c3", "c2"], "So.", [])
    assert (closed.status, closed.waiting_for) == ("completed", None)


async def test_a_rejected_question_fails(temporal: Client) -> None:
    stages = Stages()
    async with waiting(temporal, stages) as handle:
        await review(handle, decision="reject")
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    error = root(failure.value)
    assert isinstance(error, ApplicationError)
    assert error.type == "ReviewFailed"
    assert (progress.status, progress.error) == ("failed", "The reviewer rejected what was found.")
    assert Stage.ANSWER not in stages.names


async def test_another_question_is_searched_for_and_reviewed_again(temporal: Client) -> None:
    stages = Stages()
    async with waiting(temporal, stages) as handle:
        await review(handle, decision="reject", query="Why?", drop=["c0"], pin=["c1"])
        await until_awaited(handle, reviews=2)
        offered = await handle.query(QueryWorkflow.preview)
        await review(handle, decision="approve")
        result = await handle.result()
    asked = [given.query for name, given in stages.seen if name == Stage.PREPROCESS]
    assert asked == [" How? ", "Why?"]
    assert offered is not None
    assert (ids(offered.hits), ids(offered.candidates)) == (["c1", "c2"], ["c0", "c3"])
    assert ids(result.hits) == ["c1", "c2"]
    assert (result.usage.input_tokens, result.usage.search_units) == (6, 4)


async def test_an_approved_other_question_is_answered_at_once(temporal: Client) -> None:
    stages = Stages()
    async with waiting(temporal, stages) as handle:
        await review(handle, decision="approve", query="Why?", drop=["c2"])
        result = await handle.result()
    assert stages.names == [*list(Stage)[:3], *Stage]
    assert ids(result.hits) == ["c0"]


async def test_what_is_no_review(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.ANSWER] = stages.hold
    async with waiting(temporal, stages) as handle:
        unknown = await refusal(handle, decision="approve", drop=["c0", "x"])
        both = await refusal(handle, decision="approve", drop=["c0"], pin=["c0"])
        await review(handle, decision="approve")
        again = await refusal(handle, decision="approve")
        await handle.cancel()
    assert (unknown.type, unknown.details) == ("NotOffered", ("/drop/1",))
    assert (both.type, both.details) == ("NotOffered", ("/pin/0",))
    assert again.type == "NotAwaited"


async def test_no_more_searches_than_reviews(temporal: Client) -> None:
    async with waiting(temporal, Stages()) as handle:
        for number in range(2, MAX_REVIEWS + 1):
            await review(handle, decision="reject", query="Why?")
            await until_awaited(handle, reviews=number)
        refused = await refusal(handle, decision="reject", query="Why?")
        await review(handle, decision="approve")
        await handle.result()
        history = await handle.fetch_history()
    assert refused.type == "NotAwaited"
    assert len(history.events) < 300


@pytest.mark.parametrize("default", ["approve", "fail"])
async def test_without_a_review_the_default_applies(temporal: Client, default: str) -> None:
    late = {"review_timeout_s": 0.1, "review_default": default}
    async with Stages().run_worker(temporal) as queue:
        handle = await start_question(temporal, queue, REVIEWED.model_copy(update=late))
        if default == "approve":
            result = await handle.result()
            why = {"review": "No review came within 0.1 s."}
            assert (result.answer, result.degraded) == ("So.", ["review"])
            assert result.degraded_because == why
            return
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        error = root(failure.value)
        assert isinstance(error, ApplicationError)
        assert (error.type, error.message) == ("ReviewFailed", "No review came within 0.1 s.")


async def test_the_wait_for_a_review_does_not_count_towards_the_deadline(
    temporal: Client,
) -> None:
    deadline_s = 5.0
    request = REVIEWED.model_copy(update={"deadline_s": deadline_s})
    async with waiting(temporal, Stages(), request) as handle:

        async def is_past_deadline() -> bool:
            so_far = await handle.query(QueryWorkflow.result)
            return so_far is not None and so_far.timings_ms["total"] > deadline_s * 1000

        # Signals make the workflow's clock go on.
        async def tick_until_past() -> bool:
            await handle.signal(QueryWorkflow.feedback, Feedback(rating=0))
            return await is_past_deadline()

        await until(tick_until_past)
        await review(handle, decision="approve")
        result = await handle.result()
    assert (result.answer, result.degraded) == ("So.", [])


async def test_a_question_that_waits_for_its_review_can_be_cancelled(temporal: Client) -> None:
    async with waiting(temporal, Stages()) as handle:
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        progress = await handle.query(QueryWorkflow.progress)
    assert (progress.status, progress.waiting_for) == ("cancelled", None)


async def test_a_review_is_awaited_by_the_next_worker(temporal: Client) -> None:
    stages = Stages()
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue, REVIEWED)
        await until_awaited(handle)
    async with stages.run_worker(temporal, queue):
        await review(handle, decision="approve", drop=["c2"])
        result = await handle.result()
    assert ids(result.hits) == ["c0"]
    assert stages.names == list(Stage)


async def test_a_reviewed_question_without_an_answer(temporal: Client) -> None:
    request = REVIEWED.model_copy(update={"answer": False})
    async with waiting(temporal, Stages(), request) as handle:
        await review(handle, decision="approve", drop=["c2"])
        result = await handle.result()
    assert (ids(result.hits), result.reason) == (["c0"], "not_asked")


async def test_parameters_change_before_the_stage_that_reads_them(temporal: Client) -> None:
    stages = Stages()
    stages.instead[Stage.RETRIEVE] = stages.wait_for_release
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        await handle.signal("adjust", {"top_n": 1})
        await handle.signal("adjust", {"k": 1})
        with pytest.raises(WorkflowUpdateFailedError) as late:
            await handle.execute_update("adjust", {"mode": "lexical", "top_n": 9})
        await handle.execute_update("adjust", {"top_n": 3})
        stages.released.set()
        await handle.result()
    assert isinstance(late.value.cause, ApplicationError)
    assert late.value.cause.type == "NotAwaited"
    assert "retrieve" in late.value.cause.message
    given = dict(stages.seen)
    assert (given[Stage.RETRIEVE].k, given[Stage.RERANK].top_n) == (4, 3)


async def test_parameters_change_before_retrieval(temporal: Client) -> None:
    stages = Stages()
    condition = {"field": "year", "op": "gt", "value": 1}
    stages.instead[Stage.PREPROCESS] = stages.wait_for_release
    async with stages.run_worker(temporal) as queue:
        handle = await start_question(temporal, queue)
        await asyncio.wait_for(stages.held.wait(), WAIT_S)
        changes = {"k": 7, "mode": "hybrid", "filter": condition}
        await handle.execute_update("adjust", changes)
        stages.released.set()
        await handle.result()
    given = dict(stages.seen)[Stage.RETRIEVE]
    assert (given.k, given.mode, given.filter) == (7, "hybrid", condition)


async def test_a_review_of_hits_that_have_changed(temporal: Client) -> None:
    stages = Stages(instead={Stage.RERANK: lambda _: RerankOutput(hits=[HITS[1]], changed=["c3"])})
    async with waiting(temporal, stages) as handle:
        await review(handle, decision="approve")
        result = await handle.result()
    assert (ids(result.hits), result.degraded) == (["c1"], ["changed:c3"])


def test_an_adjustment_has_what_is_given() -> None:
    assert Adjustment.model_validate({"k": 3, "filter": None}).changes == {"k": 3, "filter": None}
    assert Adjustment.model_validate({}).changes == {}
