"""The workflow of a question: preprocess, retrieve, rerank and answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import exceptions, workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

with workflow.unsafe.imports_passed_through():
    from core.contracts.names import (
        DEADLINE_EXCEEDED,
        FEEDBACK_SIGNAL,
        PROGRESS_QUERY,
        PROVIDER_FAILURES,
        QUERY_WORKFLOW,
        RESULT_QUERY,
    )
    from core.contracts.query import (
        AnswerOutput,
        Feedback,
        PreprocessOutput,
        Progress,
        QueryRequest,
        QueryResult,
        QueryStatus,
        Stage,
        StageOutput,
    )
    from workflows.deadline import seconds_left, stage_timeout
    from workflows.failures import reason, sentence
    from workflows.policies import STAGE_TIMEOUT
    from workflows.search_attributes import LIBRARY, STAGE, STATUS
    from workflows.stages import answer, preprocess, rerank, retrieve
    from workflows.timeline import Timeline

Output = TypeVar("Output", bound=StageOutput)
SHORTEST_TIMER_S = 0.001
TIMER_GRACE_S = 1.0
"""How much later than the stage's own timeout, which says why, the question's timer ends it."""
SLOW_S = 1.0


class DeadlinePassed(Exception):
    """The deadline of a question has passed."""


@workflow.defn(name=QUERY_WORKFLOW)
class QueryWorkflow:
    """A workflow with an activity per stage; queries return the state at any time.

    The workflow degrades and reports so. Without the reranker, hits stay as retrieved. Without the
    answerer, it quotes the best sentences. At the deadline, it ends with the results so far.
    """

    @workflow.init
    def __init__(self, request: QueryRequest) -> None:
        self._request = request
        self._timeline = Timeline(workflow.info().workflow_start_time)
        self._status: QueryStatus = "running"
        self._stopping = False
        self._slow = False
        self._error: str | None = None
        self._feedback: list[Feedback] = []
        self._result: QueryResult | None = None
        self._reasons: dict[str, str] = {}
        self._is_stage_bounded = False

    @workflow.run
    async def run(self, request: QueryRequest) -> QueryResult:  # noqa: ARG002 - `__init__` keeps it
        """Run the stages, and return the result.

        Raises:
            ApplicationError: of type `DeadlineExceeded`, if nothing was retrieved in time.
            ActivityError: a stage without a fallback failed for good.
        """
        pipeline = asyncio.create_task(self._pipeline())
        self._watch = asyncio.create_task(self._publish_stages_if_slow())
        try:
            result = await self._wait_until_deadline(pipeline) or self._end_at_deadline()
        except asyncio.CancelledError:
            self._stop(pipeline)
            await asyncio.gather(pipeline, return_exceptions=True)
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
            stage=self._timeline.current,
            stages=self._timeline.stages,
            error=self._error,
            feedback=self._feedback,
        )

    @workflow.query(name=RESULT_QUERY)
    def result(self) -> QueryResult | None:
        """Return the result so far, or `None` before retrieval."""
        return self._with_timings(self._result) if self._result else None

    @workflow.signal(name=FEEDBACK_SIGNAL)
    def feedback(self, feedback: Feedback) -> None:
        self._feedback.append(feedback)

    async def _wait_until_deadline(self, pipeline: asyncio.Task[QueryResult]) -> QueryResult | None:
        """Return the pipeline's result, or `None` if the deadline comes first."""
        left = seconds_left(self._request)
        timeout = None if left is None else max(left + TIMER_GRACE_S, SHORTEST_TIMER_S)
        await workflow.wait([pipeline], timeout=timeout)
        if not pipeline.done():
            self._stop(pipeline)
            self._reasons["deadline"] = f"The stage {self._timeline.current} was not done by then."
            return None
        try:
            return pipeline.result()
        except DeadlinePassed as error:
            self._reasons["deadline"] = str(error)
        except ActivityError as error:
            if not self._is_late(error):
                raise
            self._reasons["deadline"] = reason(error)
        return None

    def _is_late(self, error: ActivityError) -> bool:
        """Return whether the deadline ended a stage: no other attempt would come before it."""
        return self._is_stage_bounded and error.retry_state is RetryState.TIMEOUT

    async def _pipeline(self) -> QueryResult:
        self._require_time(Stage.PREPROCESS)
        prepared = await self._stage(Stage.PREPROCESS, preprocess(self._request))
        self._require_time(Stage.RETRIEVE)
        result = await self._retrieve(prepared)
        self._require_time(Stage.RERANK)
        result = await self._rerank(prepared.query, result)
        if self._request.answer:
            self._require_time(Stage.ANSWER)
        return await self._answer(prepared.query, result)

    def _require_time(self, stage: Stage) -> None:
        """Check the deadline before a stage, since a timer may fire after a short stage has ended.

        Raises:
            DeadlinePassed: no time is left for the stage.
        """
        left = seconds_left(self._request)
        if left is not None and left <= 0:
            raise DeadlinePassed(f"No time was left for the stage {stage}.")

    async def _retrieve(self, prepared: PreprocessOutput) -> QueryResult:
        retrieved = await self._stage(Stage.RETRIEVE, retrieve(self._request, prepared))
        self._result = QueryResult(
            hits=retrieved.hits, position=retrieved.position, usage=prepared.usage
        )
        return self._result

    async def _rerank(self, query: str, result: QueryResult) -> QueryResult:
        reranked = await self._with_fallback(
            Stage.RERANK, lambda: self._stage(Stage.RERANK, rerank(self._request, query, result))
        )
        if reranked is None:
            return self._update_result(
                result, hits=result.hits[: self._request.top_n], degraded=["rerank"]
            )
        return self._update_result(
            result,
            hits=reranked.hits,
            degraded=_degradations(reranked.changed),
            usage=result.usage + reranked.usage,
        )

    async def _answer(self, query: str, result: QueryResult) -> QueryResult:
        if not self._request.answer:
            self._timeline.skip(Stage.ANSWER)
            return self._update_result(result, reason="not_asked")

        def attempts(*, extractive: bool) -> Awaitable[AnswerOutput]:
            return self._stage(
                Stage.ANSWER, answer(self._request, query, result, extractive=extractive)
            )

        output = await self._with_fallback(Stage.ANSWER, lambda: attempts(extractive=False))
        if output is None:
            result = self._update_result(result, degraded=[*result.degraded, "answer"])
            output = await attempts(extractive=True)
        return self._update_result(
            result,
            answer=output.answer,
            reason="nothing_relevant" if output.answer is None else None,
            citations=output.citations,
            hits=[hit for hit in result.hits if hit.chunk_id not in output.changed],
            degraded=result.degraded + _degradations(output.changed),
            provider=output.provider,
            model=output.model,
            usage=result.usage + output.usage,
        )

    async def _with_fallback(
        self, stage: Stage, attempts: Callable[[], Awaitable[Output]]
    ) -> Output | None:
        """Return the stage's output, or `None` if its provider fails for good, and keep why.

        If the API is unavailable, the fallback would fail as well, so the stage waits for the API.

        Raises:
            ActivityError: the API refuses, or is unavailable for longer than `STAGE_TIMEOUT`.
        """
        until = workflow.now() + STAGE_TIMEOUT
        while True:
            try:
                return await attempts()
            except ActivityError as error:
                if _is_provider_failure(error) and not self._is_cut_off(error):
                    self._reasons[stage] = reason(error)
                    return None
                if error.retry_state != RetryState.MAXIMUM_ATTEMPTS_REACHED:
                    raise
                if workflow.now() > until:
                    raise

    def _is_cut_off(self, error: ActivityError) -> bool:
        """Return whether the deadline cut an attempt off, so that there is no time to fall back."""
        return self._is_late(error) and isinstance(error.cause, exceptions.TimeoutError)

    async def _stage(self, stage: Stage, activity: Awaitable[Output]) -> Output:
        self._timeline.begin(stage, workflow.now())
        self._is_stage_bounded = stage_timeout(self._request) < STAGE_TIMEOUT
        if self._slow:
            self._publish()
        try:
            output = await activity
        except ActivityError as error:
            if self._stopping:
                raise asyncio.CancelledError from error
            self._timeline.end(stage, "failed", workflow.now(), _attempt(error))
            raise
        if self._stopping:
            raise asyncio.CancelledError
        self._timeline.end(stage, "completed", workflow.now(), output.attempt)
        return output

    def _stop(self, pipeline: asyncio.Task[QueryResult]) -> None:
        """Cancel the pipeline.

        The worker learns of the cancellation at the activity's next heartbeat. If the activity ends
        first, no further one starts.
        """
        self._stopping = True
        pipeline.cancel()

    def _update_result(self, result: QueryResult, **changes: Any) -> QueryResult:
        self._result = result.model_copy(
            update={**changes, "degraded_because": dict(self._reasons)}
        )
        return self._result

    def _with_timings(self, result: QueryResult) -> QueryResult:
        return result.model_copy(update={"timings_ms": self._timeline.timings_ms(workflow.now())})

    def _end_at_deadline(self) -> QueryResult:
        if self._result is None:
            why = self._reasons.get("deadline")
            error = f"Nothing was found within {self._request.deadline_s} s."
            error = f"{error} {why}" if why else error
            self._close("timed_out", error)
            raise ApplicationError(error, type=DEADLINE_EXCEEDED, non_retryable=True)
        return self._update_result(
            self._result,
            hits=self._result.hits[: self._request.top_n],
            degraded=[*self._result.degraded, "deadline"],
            reason="deadline",
        )

    def _close(self, status: QueryStatus, error: str | None = None) -> None:
        self._timeline.stop(workflow.now())
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

    def _publish(self) -> None:
        """Publish the status and stage as search attributes, for listings.

        The cluster writes each change to its database, so only new values are sent.
        """
        known = workflow.info().typed_search_attributes
        wanted = {
            LIBRARY: self._request.library_id,
            STATUS: self._status,
            STAGE: self._timeline.current,
        }
        changes = [k.value_set(v) for k, v in wanted.items() if v is not None and known.get(k) != v]
        if changes:
            workflow.upsert_search_attributes(changes)


def _is_provider_failure(error: ActivityError) -> bool:
    """Return whether the provider failed or timed out."""
    if isinstance(error.cause, ApplicationError):
        return error.cause.type in PROVIDER_FAILURES
    return isinstance(error.cause, exceptions.TimeoutError)


def _degradations(chunk_ids: list[str]) -> list[str]:
    return [f"changed:{chunk_id}" for chunk_id in chunk_ids]


def _attempt(error: ActivityError) -> int | None:
    """Return the number of the last attempt, which an activity's own errors carry."""
    details = error.cause.details if isinstance(error.cause, ApplicationError) else ()
    return details[0] if details else None
