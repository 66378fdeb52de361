"""The workflow of a question: its stages, a review where one is asked for, and its messages."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from core.contracts.names import (
        ADJUST,
        DEADLINE_EXCEEDED,
        FEEDBACK_SIGNAL,
        FOUND_QUERY,
        NOT_AWAITED,
        PREVIEW_QUERY,
        PROGRESS_QUERY,
        QUERY_WORKFLOW,
        RESULT_QUERY,
        REVIEW_FAILED,
        REVIEW_UPDATE,
    )
    from core.contracts.query import (
        Feedback,
        Preview,
        Progress,
        QueryRequest,
        QueryResult,
        QueryStatus,
    )
    from core.contracts.rerun import Found
    from core.contracts.review import Adjustment, Review
    from workflows.failures import reason, sentence
    from workflows.limits.deadline import seconds_left
    from workflows.pipeline import DeadlinePassed, Pipeline
    from workflows.review import Reviews
    from workflows.search_attributes import LIBRARY, STAGE, STATUS

SHORTEST_TIMER_S = 0.001
TIMER_GRACE_S = 1.0
"""How much later than the stage's own timeout, which says why, the question's timer ends it."""
SLOW_S = 1.0


@workflow.defn(name=QUERY_WORKFLOW)
class QueryWorkflow:
    """A workflow with an activity per stage; queries return the state at any time.

    The workflow degrades and reports so. Without the reranker, hits stay as retrieved. Without the
    answerer, it quotes the best sentences. At the deadline, it ends with the results so far. The
    wait for a review does not count towards the deadline.
    """

    @workflow.init
    def __init__(self, request: QueryRequest) -> None:
        self._pipeline = Pipeline(
            request, workflow.info().workflow_start_time, self._publish_if_slow
        )
        self._reviews = Reviews()
        self._status: QueryStatus = "running"
        self._slow = False
        self._error: str | None = None
        self._feedback: list[Feedback] = []

    @workflow.run
    async def run(self, request: QueryRequest) -> QueryResult:
        """Run the stages, and return the result.

        Raises:
            ApplicationError: of type `DeadlineExceeded`, if nothing was retrieved in time, or
                `ReviewFailed`, if a reviewer rejected the hits or did not review them in time.
            ActivityError: a stage without a fallback failed for good.
        """
        self._task = asyncio.create_task(self._find_and_answer())
        self._watch = asyncio.create_task(self._publish_stages_if_slow())
        try:
            result = await self._wait_until_deadline()
            if result is not None and request.review:
                result = await self._reviewed()
            result = result or self._end_at_deadline()
        except asyncio.CancelledError:
            self._pipeline.stop(self._task)
            await asyncio.gather(self._task, return_exceptions=True)
            self._close("cancelled")
            raise
        except ActivityError as error:
            self._close("failed", sentence(error))
            raise
        self._close("completed")
        return self._with_timings(result)

    @workflow.query(name=PROGRESS_QUERY)
    def progress(self) -> Progress:
        """Return the state; only the server knows the attempt of a running stage."""
        return Progress(
            status=self._status,
            stage=self._pipeline.timeline.current,
            stages=self._pipeline.timeline.stages,
            error=self._error,
            feedback=self._feedback,
            waiting_for="review" if self._reviews.is_awaited else None,
            reviews=self._reviews.requests,
        )

    @workflow.query(name=RESULT_QUERY)
    def result(self) -> QueryResult | None:
        """Return the result so far, or `None` before retrieval."""
        result = self._pipeline.result
        return self._with_timings(result) if result else None

    @workflow.query(name=PREVIEW_QUERY)
    def preview(self) -> Preview | None:
        """Return what an answer would be made from now, or `None` before retrieval."""
        return self._pipeline.preview()

    @workflow.query(name=FOUND_QUERY)
    def found(self) -> Found:
        """Return what another question can go on from."""
        return self._pipeline.found()

    @workflow.signal(name=FEEDBACK_SIGNAL)
    def feedback(self, feedback: Feedback) -> None:
        self._feedback.append(feedback)

    @workflow.signal(name=ADJUST)
    def adjust(self, adjustment: Adjustment) -> None:
        """Change parameters; without effect once a stage that reads one of them has begun."""
        if self._pipeline.begun_reader(adjustment) is None:
            request = self._pipeline.request
            self._pipeline.request = request.model_copy(update=adjustment.changes)

    @workflow.update(name=ADJUST)
    def adjust_in_time(self, adjustment: Adjustment) -> None:
        """Change parameters, like the signal of the same name."""
        self.adjust(adjustment)

    @adjust_in_time.validator
    def _check_adjustment(self, adjustment: Adjustment) -> None:
        """Check that no stage that reads one of the parameters has begun.

        Raises:
            ApplicationError: of type `NotAwaited`.
        """
        stage = self._pipeline.begun_reader(adjustment)
        if stage is not None:
            detail = f"The stage {stage}, which reads what is to change, has already begun."
            raise ApplicationError(detail, type=NOT_AWAITED, non_retryable=True)

    @workflow.update(name=REVIEW_UPDATE)
    def review(self, review: Review) -> Preview:
        """Take the review, and return what it leaves of the preview."""
        preview = self._reviews.take(review)
        return (
            preview if review.query is None else preview.model_copy(update={"query": review.query})
        )

    @review.validator
    def _check_review(self, review: Review) -> None:
        """Check that a review is awaited, and names offered chunks.

        Raises:
            ApplicationError: of type `NotAwaited` or `NotOffered`.
        """
        self._reviews.check(review)

    async def _find_and_answer(self) -> QueryResult:
        """Run the stages up to the review, or up to the end if no review is asked for."""
        result = await self._pipeline.find()
        return result if self._pipeline.request.review else await self._pipeline.answer(result)

    async def _reviewed(self) -> QueryResult | None:
        """Wait for the review of the hits, and answer from what it leaves; `None` at the deadline.

        Raises:
            ApplicationError: of type `ReviewFailed`.
        """
        while True:
            review = await self._wait_for_review()
            result = self._select()
            if review is None or review.query is None:
                break
            changes: dict[str, Any] = {"query": review.query, "earlier": None, "turns": []}
            request = self._pipeline.request.model_copy(update=changes)
            self._pipeline.request = request
            if await self._run_stages(self._pipeline.find()) is None:
                return None
            result = self._select()
            if review.decision == "approve":
                break
        return await self._run_stages(self._pipeline.answer(result))

    async def _wait_for_review(self) -> Review | None:
        """Return the review, or `None` if none has come in time and the default approves.

        Raises:
            ApplicationError: the reviewer rejects the hits, or none has come and the default fails.
        """
        pipeline, began = self._pipeline, workflow.now()
        preview = pipeline.preview()
        assert preview is not None  # a review follows retrieval
        review = await self._reviews.wait(preview, pipeline.request.review_timeout_s)
        self._extend_deadline((workflow.now() - began).total_seconds())
        if review is None:
            late = f"No review came within {pipeline.request.review_timeout_s:g} s."
            if pipeline.request.review_default == "fail":
                raise self._review_failure(late)
            pipeline.reasons["review"] = late
        elif review.decision == "reject" and review.query is None:
            raise self._review_failure("The reviewer rejected what was found.")
        return review

    def _select(self) -> QueryResult:
        """Return the result so far with the hits that the reviews leave."""
        result = self._pipeline.result
        assert result is not None
        late = {"review"} & self._pipeline.reasons.keys() - set(result.degraded)
        return self._pipeline.update_result(
            result, hits=self._reviews.select(result.hits), degraded=[*result.degraded, *late]
        )

    def _extend_deadline(self, by_s: float) -> None:
        request = self._pipeline.request
        if request.deadline_s is not None:
            extended = {"deadline_s": request.deadline_s + by_s}
            self._pipeline.request = request.model_copy(update=extended)

    def _review_failure(self, error: str) -> ApplicationError:
        self._close("failed", error)
        return ApplicationError(error, type=REVIEW_FAILED, non_retryable=True)

    async def _run_stages(self, stages: Coroutine[Any, Any, QueryResult]) -> QueryResult | None:
        """Return the result of further stages, or `None` if the deadline comes first."""
        self._task = asyncio.create_task(stages)
        return await self._wait_until_deadline()

    async def _wait_until_deadline(self) -> QueryResult | None:
        """Return the result of the running stages, or `None` if the deadline comes first."""
        pipeline = self._pipeline
        left = seconds_left(pipeline.request)
        timeout = None if left is None else max(left + TIMER_GRACE_S, SHORTEST_TIMER_S)
        await workflow.wait([self._task], timeout=timeout)
        if not self._task.done():
            pipeline.stop(self._task)
            stage = pipeline.timeline.current
            pipeline.reasons["deadline"] = f"The stage {stage} was not done by then."
            return None
        try:
            return self._task.result()
        except DeadlinePassed as error:
            pipeline.reasons["deadline"] = str(error)
        except ActivityError as error:
            if not pipeline.is_late(error):
                raise
            pipeline.reasons["deadline"] = reason(error)
        return None

    def _with_timings(self, result: QueryResult) -> QueryResult:
        timings_ms = self._pipeline.timeline.timings_ms(workflow.now())
        return result.model_copy(update={"timings_ms": timings_ms})

    def _end_at_deadline(self) -> QueryResult:
        pipeline = self._pipeline
        if pipeline.result is None:
            why = pipeline.reasons.get("deadline")
            error = f"Nothing was found within {pipeline.request.deadline_s} s."
            error = f"{error} {why}" if why else error
            self._close("timed_out", error)
            raise ApplicationError(error, type=DEADLINE_EXCEEDED, non_retryable=True)
        return pipeline.update_result(
            pipeline.result,
            hits=pipeline.result.hits[: pipeline.request.top_n],
            degraded=[*pipeline.result.degraded, "deadline"],
            reason="deadline",
        )

    def _close(self, status: QueryStatus, error: str | None = None) -> None:
        self._pipeline.timeline.stop(workflow.now())
        self._status, self._error = status, error
        self._publish()

    async def _publish_stages_if_slow(self) -> None:
        """Publish the stages only once the question is slow.

        Each change of stage is a write to the cluster's database, and most questions end before
        anyone could list them by stage.
        """
        await workflow.sleep(SLOW_S)
        self._slow = True
        self._publish()

    def _publish_if_slow(self) -> None:
        if self._slow:
            self._publish()

    def _publish(self) -> None:
        """Publish the status and stage as search attributes, for listings.

        The cluster writes each change to its database, so only new values are sent.
        """
        known = workflow.info().typed_search_attributes
        wanted = {
            LIBRARY: self._pipeline.request.library_id,
            STATUS: self._status,
            STAGE: self._pipeline.timeline.current,
        }
        changes = [k.value_set(v) for k, v in wanted.items() if v is not None and known.get(k) != v]
        if changes:
            workflow.upsert_search_attributes(changes)
