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
from workflows.query import QueryWorkflow


class Script:
    """The stages of a question; `gate` holds the rerank stage, `fault` fails the first one."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: Exception | None = None

    @activity.defn(name=Stage.PREPROCESS)
    async def preprocess(self, asked: PreprocessInput) -> PreprocessOutput:
        if self.fault:
            raise self.fault
        return PreprocessOutput(query=asked.query, embedding="AACAPw==")

    @activity.defn(name=Stage.RETRIEVE)
    async def retrieve(self, asked: RetrieveInput) -> RetrieveOutput:
        hits = [RankedChunk(chunk_id="a", document_id="d", version=2, score=0.5)]
        return RetrieveOutput(hits=hits, position=asked.min_position)

    @activity.defn(name=Stage.RERANK)
    async def rerank(self, asked: RerankInput) -> RerankOutput:
        while not self.gate.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return RerankOutput(hits=asked.hits)

    @activity.defn(name=Stage.ANSWER)
    async def answer(self, asked: AnswerInput) -> AnswerOutput:
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
            workflows=[QueryWorkflow, Other],
            activities=[self.preprocess, self.retrieve, self.rerank, self.answer],
        )


@workflow.defn(name="Other", sandboxed=False)
class Other:
    @workflow.run
    async def run(self) -> None:
        return None
