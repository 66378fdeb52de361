"""The stages of a question in order, with the lesser ways that stand in for failed providers."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from temporalio import exceptions, workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

with workflow.unsafe.imports_passed_through():
    from core.contracts.budget import Budget
    from core.contracts.names import PROVIDER_FAILURES
    from core.contracts.query import (
        AnswerOutput,
        Earlier,
        PreprocessOutput,
        Preview,
        QueryRequest,
        QueryResult,
        RankedChunk,
        Stage,
        StageOutput,
    )
    from core.contracts.rerun import Found
    from core.contracts.review import Adjustment
    from workflows.failures import reason
    from workflows.limits.account import Account
    from workflows.limits.deadline import seconds_left, stage_timeout
    from workflows.policies import STAGE_TIMEOUT
    from workflows.stages import answer, preprocess, rerank, retrieve
    from workflows.timeline import Timeline

Output = TypeVar("Output", bound=StageOutput)


class DeadlinePassed(Exception):
    """The deadline of a question has passed."""


class Pipeline:
    """The stages of one question; `on_stage` is called when one begins.

    `request` may change until the stage that reads it begins. `result` is the result so far, and
    `reasons` why a lesser way was taken, by its name in `degraded`.
    """

    def __init__(
        self, request: QueryRequest, asked_at: datetime, on_stage: Callable[[], None]
    ) -> None:
        self.request = request
        self.timeline = Timeline(asked_at)
        self.result: QueryResult | None = None
        self.reasons: dict[str, str] = {}
        self._on_stage = on_stage
        self._account = Account()
        self._query = request.query
        self._prepared: PreprocessOutput | None = None
        self._retrieved: list[RankedChunk] = []
        self._is_ranked = False
        self._is_stopping = False
        self._is_stage_bounded = False

    async def find(self) -> QueryResult:
        """Run the stages up to the ranking of the hits, without those of an earlier question.

        Raises:
            DeadlinePassed: no time is left for the next stage.
            ActivityError: a stage without a fallback failed for good.
        """
        if self.request.earlier is not None:
            return await self._go_on(self.request.earlier)
        self._require_time(Stage.PREPROCESS)
        prepared = await self._stage(Stage.PREPROCESS, preprocess(self.request, self._budget()))
        self._prepare(prepared)
        self._require_time(Stage.RETRIEVE)
        result = await self._retrieve(prepared)
        self._require_time(Stage.RERANK)
        return await self._rerank(result)

    async def answer(self, result: QueryResult) -> QueryResult:
        """Answer from the hits of a result, if the request asks for an answer.

        Raises:
            DeadlinePassed: no time is left.
            ActivityError: the stage failed for good.
        """
        if not self.request.answer:
            self.timeline.skip(Stage.ANSWER)
            return self.update_result(result, reason="not_asked")
        self._require_time(Stage.ANSWER)

        calls = itertools.count()

        def attempts(*, extractive: bool) -> Awaitable[AnswerOutput]:
            call = next(calls)
            given = self.request, self._query, result, self._budget()
            return self._stage(Stage.ANSWER, answer(*given, extractive=extractive, call=call))

        output = await self._with_fallback(Stage.ANSWER, lambda: attempts(extractive=False))
        if output is None:
            result = self.update_result(result, degraded=[*result.degraded, "answer"])
            output = await attempts(extractive=True)
        return self.update_result(
            result,
            answer=output.answer,
            reason="nothing_relevant" if output.answer is None else None,
            citations=output.citations,
            hits=[hit for hit in result.hits if hit.chunk_id not in output.changed],
            degraded=result.degraded + _degradations(output.changed),
            provider=output.provider,
            model=output.model,
        )

    def preview(self) -> Preview | None:
        """Return what an answer would be made from now, or `None` before retrieval."""
        if self.result is None:
            return None
        hits = self.result.hits if self._is_ranked else self.result.hits[: self.request.top_n]
        kept = {hit.chunk_id for hit in hits}
        return Preview(
            query=self._query,
            hits=hits,
            candidates=[hit for hit in self._retrieved if hit.chunk_id not in kept],
            position=self.result.position,
        )

    def found(self) -> Found:
        """Return the request, and the outputs of the stages so far."""
        return Found(request=self.request, prepared=self._prepared, retrieved=self._retrieved)

    def begun_reader(self, adjustment: Adjustment) -> Stage | None:
        """Return a stage that reads one of the given parameters and has begun."""
        readers = {
            Stage.RERANK if name == "top_n" else Stage.RETRIEVE for name in adjustment.changes
        }
        begun = [stage.name for stage in self.timeline.stages if stage.status != "pending"]
        return next((stage for stage in begun if stage in readers), None)

    def stop(self, task: asyncio.Task[QueryResult]) -> None:
        """Cancel the task that runs the stages.

        The worker learns of the cancellation at the activity's next heartbeat. If the activity ends
        first, no further one starts.
        """
        self._is_stopping = True
        task.cancel()

    def is_late(self, error: ActivityError) -> bool:
        """Return whether the deadline ended a stage: no other attempt would come before it."""
        return self._is_stage_bounded and error.retry_state is RetryState.TIMEOUT

    def update_result(self, result: QueryResult, **changes: Any) -> QueryResult:
        """Replace the result so far, with the reasons and the usage so far, and return it."""
        so_far = {"degraded_because": dict(self.reasons), "usage": self._account.usage}
        self.result = result.model_copy(update={**changes, **so_far})
        return self.result

    async def _go_on(self, earlier: Earlier) -> QueryResult:
        """Run the stages from that of a rerun on, up to the ranking of the hits."""
        prepared = earlier.prepared
        self._prepare(prepared)
        self.timeline.skip(Stage.PREPROCESS)
        if earlier.stage is Stage.RETRIEVE:
            self._require_time(Stage.RETRIEVE)
            result = await self._retrieve(prepared, until=earlier.until)
        else:
            self.timeline.skip(Stage.RETRIEVE)
            self._retrieved = earlier.retrieved
            result = self._begin_result(hits=earlier.retrieved, position=earlier.position)
        if earlier.stage is Stage.ANSWER:
            self.timeline.skip(Stage.RERANK)
            self._is_ranked = True
            return self.update_result(result, hits=earlier.ranked)
        self._require_time(Stage.RERANK)
        return await self._rerank(result)

    def _prepare(self, prepared: PreprocessOutput) -> None:
        self._prepared, self._query = prepared, prepared.query
        failures = {"condense": prepared.condense_failure, "preprocess": prepared.refused}
        for name, failure in failures.items():
            self.reasons.pop(name, None)  # of an earlier search
            if failure is not None:
                self.reasons[name] = failure

    def _begin_result(self, **fields: Any) -> QueryResult:
        """Replace the result so far by one with these fields, and return it."""
        prepared = self._prepared
        assert prepared is not None  # the first stage has ended
        result = QueryResult(
            condensed_query=prepared.query if prepared.is_condensed else None,
            degraded=[name for name in ("condense", "preprocess") if name in self.reasons],
            **fields,
        )
        return self.update_result(result)

    def _require_time(self, stage: Stage) -> None:
        """Check the deadline before a stage, since a timer may fire after a short stage has ended.

        Raises:
            DeadlinePassed: no time is left for the stage.
        """
        left = seconds_left(self.request)
        if left is not None and left <= 0:
            raise DeadlinePassed(f"No time was left for the stage {stage}.")

    async def _retrieve(
        self, prepared: PreprocessOutput, *, until: int | None = None
    ) -> QueryResult:
        retrieved = await self._stage(Stage.RETRIEVE, retrieve(self.request, prepared))
        # A chunk's version is the position of its last write.
        hits = [hit for hit in retrieved.hits if until is None or hit.version <= until]
        self._retrieved, self._is_ranked = hits, False
        return self._begin_result(hits=hits, position=retrieved.position)

    async def _rerank(self, result: QueryResult) -> QueryResult:
        self.reasons.pop("rerank", None)  # of an earlier search
        reranked = await self._with_fallback(
            Stage.RERANK,
            lambda: self._stage(
                Stage.RERANK, rerank(self.request, self._query, result, self._budget())
            ),
        )
        self._is_ranked = True
        if reranked is None:
            return self.update_result(
                result,
                hits=result.hits[: self.request.top_n],
                degraded=[*result.degraded, "rerank"],
            )
        return self.update_result(
            result,
            hits=reranked.hits,
            degraded=result.degraded + _degradations(reranked.changed),
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
                    self.reasons[stage] = reason(error)
                    return None
                if error.retry_state != RetryState.MAXIMUM_ATTEMPTS_REACHED:
                    raise
                if workflow.now() > until:
                    raise

    def _budget(self) -> Budget | None:
        return self._account.left(self.request.budget)

    def _is_cut_off(self, error: ActivityError) -> bool:
        """Return whether the deadline cut an attempt off, so that there is no time to fall back."""
        return self.is_late(error) and isinstance(error.cause, exceptions.TimeoutError)

    async def _stage(self, stage: Stage, activity: Awaitable[Output]) -> Output:
        self.timeline.begin(stage, workflow.now())
        self._is_stage_bounded = stage_timeout(self.request) < STAGE_TIMEOUT
        self._on_stage()
        try:
            output = await activity
        except ActivityError as error:
            if self._is_stopping:
                raise asyncio.CancelledError from error
            self._account.add_failure(error)
            self.timeline.end(stage, "failed", workflow.now(), _attempt(error))
            raise
        if self._is_stopping:
            raise asyncio.CancelledError
        self._account.add(output)
        self.timeline.end(stage, "completed", workflow.now(), output.attempt)
        return output


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
