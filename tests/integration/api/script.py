"""A worker in process with scripted activities."""

import asyncio

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from core.contracts.query import (
    AnswerInput,
    AnswerOutput,
    Citation,
    PreprocessInput,
    PreprocessOutput,
    RankedChunk,
    RerankInput,
    RerankOutput,
    RetrieveInput,
    RetrieveOutput,
    Stage,
)
from workflows.conversation import ConversationWorkflow
from workflows.query import QueryWorkflow


class Script:
    """The stages of a question.

    `held` holds the preprocess stage, `gate` the rerank stage and `written` the answer stage;
    `fault` fails the first one.
    `retrieved` and `reranked` are the last inputs of these stages.
    """

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.held.set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.written = asyncio.Event()
        self.written.set()
        self.retrieved: RetrieveInput | None = None
        self.reranked: RerankInput | None = None
        self.fault: Exception | None = None

    @activity.defn(name=Stage.PREPROCESS)
    async def preprocess(self, asked: PreprocessInput) -> PreprocessOutput:
        if self.fault:
            raise self.fault
        await _heartbeat_until(self.held)
        return PreprocessOutput(query=asked.query, embedding="AACAPw==")

    @activity.defn(name=Stage.RETRIEVE)
    async def retrieve(self, asked: RetrieveInput) -> RetrieveOutput:
        self.retrieved = asked
        hits = [RankedChunk(chunk_id="a", document_id="d", version=2, score=0.5)]
        return RetrieveOutput(hits=hits, position=asked.min_position)

    @activity.defn(name=Stage.RERANK)
    async def rerank(self, asked: RerankInput) -> RerankOutput:
        self.reranked = asked
        await _heartbeat_until(self.gate)
        return RerankOutput(hits=asked.hits)

    @activity.defn(name=Stage.ANSWER)
    async def answer(self, asked: AnswerInput) -> AnswerOutput:
        await _heartbeat_until(self.written)
        citation = Citation(
            start=0,
            end=5,
            chunk_id="a",
            document_id="d",
            quote="alpha",
            quote_start=0,
            quote_end=5,
        )
        return AnswerOutput(answer="alpha", citations=[citation], provider="local", model="m")

    def worker(self, client: Client, task_queue: str) -> Worker:
        """Return a worker for questions and for an unrelated workflow."""
        return Worker(
            client,
            task_queue=task_queue,
            workflows=[QueryWorkflow, ConversationWorkflow, Other],
            activities=[self.preprocess, self.retrieve, self.rerank, self.answer],
        )


async def _heartbeat_until(event: asyncio.Event) -> None:
    while not event.is_set():
        activity.heartbeat()
        await asyncio.sleep(0.05)


@workflow.defn(name="Other", sandboxed=False)
class Other:
    @workflow.run
    async def run(self) -> None:
        return None
