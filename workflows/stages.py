"""Activity calls of the workflow: input, timeouts and retry policy of each stage.

Each function returns an awaitable at once; its errors are `ActivityError`s.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from core.contracts.budget import Budget
    from core.contracts.query import (
        AnswerInput,
        AnswerOutput,
        PreprocessInput,
        PreprocessOutput,
        QueryRequest,
        QueryResult,
        RerankInput,
        RerankOutput,
        RetrieveInput,
        RetrieveOutput,
        Stage,
        StageInput,
        StageOutput,
    )
    from workflows.limits.deadline import stage_timeout
    from workflows.policies import FALLBACK_RETRY, HEARTBEAT, REQUIRED_RETRY, STOPPED

Output = TypeVar("Output", bound=StageOutput)


def preprocess(request: QueryRequest, budget: Budget | None) -> Awaitable[PreprocessOutput]:
    return _execute(
        request,
        Stage.PREPROCESS,
        PreprocessInput(
            query=request.query,
            embedding_model=request.embedding_model,
            turns=request.turns,
            budget=budget,
            instance_id=request.instance_id,
        ),
        PreprocessOutput,
        attempt_s=30,
        retry=REQUIRED_RETRY,
    )


def retrieve(request: QueryRequest, prepared: PreprocessOutput) -> Awaitable[RetrieveOutput]:
    return _execute(
        request,
        Stage.RETRIEVE,
        RetrieveInput(
            library_id=request.library_id,
            query=prepared.query,
            embedding=prepared.embedding,
            embedding_model=request.embedding_model,
            k=request.k,
            mode="lexical" if prepared.refused else request.mode,
            filter=request.filter,
            min_position=request.min_position,
            instance_id=request.instance_id,
        ),
        RetrieveOutput,
        attempt_s=30,
        retry=REQUIRED_RETRY,
    )


def rerank(
    request: QueryRequest, query: str, result: QueryResult, budget: Budget | None
) -> Awaitable[RerankOutput]:
    return _execute(
        request,
        Stage.RERANK,
        RerankInput(
            library_id=request.library_id,
            query=query,
            hits=result.hits,
            top_n=request.top_n,
            position=result.position,
            budget=budget,
            instance_id=request.instance_id,
        ),
        RerankOutput,
        attempt_s=60,
        retry=FALLBACK_RETRY,
    )


def answer(
    request: QueryRequest,
    query: str,
    result: QueryResult,
    budget: Budget | None,
    *,
    extractive: bool,
    call: int,
) -> Awaitable[AnswerOutput]:
    return _execute(
        request,
        Stage.ANSWER,
        AnswerInput(
            library_id=request.library_id,
            query=query,
            hits=result.hits,
            position=result.position,
            extractive=extractive,
            call=call,
            budget=budget,
            instance_id=request.instance_id,
        ),
        AnswerOutput,
        attempt_s=120,
        retry=REQUIRED_RETRY if extractive else FALLBACK_RETRY,
    )


def _execute(
    request: QueryRequest,
    stage: Stage,
    stage_input: StageInput,
    output: type[Output],
    *,
    attempt_s: float,
    retry: RetryPolicy,
) -> Awaitable[Output]:
    return workflow.execute_activity(
        stage,
        stage_input,
        result_type=output,
        start_to_close_timeout=timedelta(seconds=attempt_s),
        schedule_to_close_timeout=stage_timeout(request),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=retry,
        cancellation_type=STOPPED,
    )
