"""Activity calls of the workflow: input, timeouts and retry policy of each stage.

Each function returns an awaitable at once; its errors are `ActivityError`s.
"""

from collections.abc import Awaitable
from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
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
    )
    from workflows.deadline import stage_timeout
    from workflows.policies import FALLBACK_RETRY, HEARTBEAT, REQUIRED_RETRY, STOPPED


def preprocess(request: QueryRequest) -> Awaitable[PreprocessOutput]:
    return workflow.execute_activity(
        Stage.PREPROCESS,
        PreprocessInput(
            query=request.query,
            embedding_model=request.embedding_model,
            instance_id=request.instance_id,
        ),
        result_type=PreprocessOutput,
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=stage_timeout(request),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=REQUIRED_RETRY,
        cancellation_type=STOPPED,
    )


def retrieve(request: QueryRequest, prepared: PreprocessOutput) -> Awaitable[RetrieveOutput]:
    return workflow.execute_activity(
        Stage.RETRIEVE,
        RetrieveInput(
            library_id=request.library_id,
            query=prepared.query,
            embedding=prepared.embedding,
            embedding_model=request.embedding_model,
            k=request.k,
            mode=request.mode,
            filter=request.filter,
            min_position=request.min_position,
            instance_id=request.instance_id,
        ),
        result_type=RetrieveOutput,
        start_to_close_timeout=timedelta(seconds=30),
        schedule_to_close_timeout=stage_timeout(request),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=REQUIRED_RETRY,
        cancellation_type=STOPPED,
    )


def rerank(request: QueryRequest, query: str, result: QueryResult) -> Awaitable[RerankOutput]:
    return workflow.execute_activity(
        Stage.RERANK,
        RerankInput(
            library_id=request.library_id,
            query=query,
            hits=result.hits,
            top_n=request.top_n,
            position=result.position,
            instance_id=request.instance_id,
        ),
        result_type=RerankOutput,
        start_to_close_timeout=timedelta(seconds=60),
        schedule_to_close_timeout=stage_timeout(request),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=FALLBACK_RETRY,
        cancellation_type=STOPPED,
    )


def answer(
    request: QueryRequest, query: str, result: QueryResult, *, extractive: bool
) -> Awaitable[AnswerOutput]:
    return workflow.execute_activity(
        Stage.ANSWER,
        AnswerInput(
            library_id=request.library_id,
            query=query,
            hits=result.hits,
            position=result.position,
            extractive=extractive,
            instance_id=request.instance_id,
        ),
        result_type=AnswerOutput,
        start_to_close_timeout=timedelta(seconds=120),
        schedule_to_close_timeout=stage_timeout(request),
        heartbeat_timeout=HEARTBEAT,
        retry_policy=REQUIRED_RETRY if extractive else FALLBACK_RETRY,
        cancellation_type=STOPPED,
    )
