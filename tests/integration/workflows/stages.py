"""Fakes of the four activities, and a worker that serves them."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from core.contracts.budget import Usage
from core.contracts.query import (
    AnswerInput,
    AnswerOutput,
    PreprocessInput,
    PreprocessOutput,
    QueryRequest,
    QueryResult,
    RankedChunk,
    RerankInput,
    RerankOutput,
    RetrieveInput,
    RetrieveOutput,
    Stage,
)
from workflows.conversation import ConversationWorkflow
from workflows.query import QueryWorkflow

Output = TypeVar("Output")
WAIT_S = 60.0

HITS = [
    RankedChunk(chunk_id=f"c{n}", document_id="d", version=n, score=1.0 - n / 10) for n in range(4)
]
REQUEST = QueryRequest(
    library_id="library", query=" How? ", embedding_model="model", k=4, top_n=2, min_position=3
)


def refused(*_: object) -> Any:
    raise ApplicationError("It will never do.", 7, type="ProviderRejected", non_retryable=True)


def root(error: BaseException) -> BaseException:
    """Return the first cause of an error."""
    return root(error.__cause__) if error.__cause__ else error


@dataclass
class Stages:
    """A recorder of each activity's input; a stage in `instead` replaces an activity."""

    instead: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    seen: list[tuple[str, Any]] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.seen]

    async def wait_for_release(self, _: object) -> None:
        self.held.set()
        await self.released.wait()

    async def hold(self, _: object) -> Any:
        """Heartbeat until cancelled."""
        self.held.set()
        try:
            while True:
                activity.heartbeat()
                await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self.stopped.set()
            raise

    @activity.defn(name=Stage.PREPROCESS)
    async def preprocess(self, given: PreprocessInput) -> PreprocessOutput:
        prepared = PreprocessOutput(query="How?", embedding="AAAA", usage=Usage(input_tokens=1))
        return await self._do(Stage.PREPROCESS, given, prepared)

    @activity.defn(name=Stage.RETRIEVE)
    async def retrieve(self, given: RetrieveInput) -> RetrieveOutput:
        return await self._do(Stage.RETRIEVE, given, RetrieveOutput(hits=HITS, position=9))

    @activity.defn(name=Stage.RERANK)
    async def rerank(self, given: RerankInput) -> RerankOutput:
        best = [HITS[2].model_copy(update={"rerank_score": 0.9}), HITS[0]]
        reranked = RerankOutput(hits=best, usage=Usage(search_units=2), attempt=3)
        return await self._do(Stage.RERANK, given, reranked)

    @activity.defn(name=Stage.ANSWER)
    async def answer(self, given: AnswerInput) -> AnswerOutput:
        answered = AnswerOutput(
            answer="So." if not given.extractive else "As the sources say.",
            citations=[],
            provider="fake",
            model="m",
            usage=Usage(input_tokens=4, output_tokens=8),
        )
        return await self._do(Stage.ANSWER, given, answered)

    async def _do(self, name: str, given: Any, output: Output) -> Output:
        self.seen.append((name, given))
        if name not in self.instead:
            return output
        other = self.instead[name](given)
        return (await other if isinstance(other, Awaitable) else other) or output

    @asynccontextmanager
    async def run_worker(self, client: Client, queue: str | None = None) -> AsyncIterator[str]:
        """Yield the task queue of a worker that runs the stages; a new one by default."""
        queue = queue or f"test-{uuid.uuid4()}"
        async with Worker(
            client,
            task_queue=queue,
            workflows=[QueryWorkflow, ConversationWorkflow],
            activities=[self.preprocess, self.retrieve, self.rerank, self.answer],
            max_heartbeat_throttle_interval=timedelta(milliseconds=50),
        ):
            yield queue


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not await true():
        assert time.monotonic() < deadline, "It never came true."
        await asyncio.sleep(0.05)


REVIEWED = REQUEST.model_copy(update={"review": True})
Question = WorkflowHandle[QueryWorkflow, QueryResult]


async def until_awaited(handle: Question, reviews: int = 1) -> None:
    """Wait until the question waits for its review of this number."""
    async with asyncio.timeout(WAIT_S):
        while not await _is_awaited(handle, reviews):  # noqa: ASYNC110 - in another process
            await asyncio.sleep(0.05)


async def _is_awaited(handle: Question, reviews: int) -> bool:
    progress = await handle.query(QueryWorkflow.progress)
    return progress.waiting_for == "review" and len(progress.reviews) == reviews


async def start_question(
    client: Client, queue: str, request: QueryRequest = REQUEST
) -> WorkflowHandle[QueryWorkflow, QueryResult]:
    return await client.start_workflow(
        QueryWorkflow.run, request, id=str(uuid.uuid4()), task_queue=queue
    )
