"""Questions to a worker whose provider is a local server of its wire shape."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.worker import Interceptor

from core.contracts.names import task_queue_of
from core.contracts.query import QueryRequest, QueryResult
from core.providers.registry import open_models
from core.settings import Settings
from tests.integration.workflows.stages import Question, start_question
from tests.unit.activities.rest import Rest
from worker.stages import build_activities
from worker.temporal_worker import build_worker

ANSWERED_S = 120.0
QUESTION = "How deep is the harbour of Tamralipti?"
QUOTE = "The harbour of Tamralipti is nine fathoms deep."
CHUNKS = {"c0": (0, QUOTE), "c1": (1, "Caravans carry horses."), "c2": (2, "Ships rest here.")}
HITS = [
    {"chunk_id": chunk_id, "document_id": "d", "score": 0.5, "version": version}
    for chunk_id, (version, _) in CHUNKS.items()
]
KEY = SecretStr("sk-test-0123456789")


@asynccontextmanager
async def run_worker(
    temporal: Client, settings: Settings, rest: Rest, interceptors: Sequence[Interceptor] = ()
) -> AsyncIterator[None]:
    """Serve questions until the end of the block."""
    async with (
        rest.client() as client,
        open_models(settings) as models,
        build_worker(
            temporal, settings, build_activities(models, client), interceptors=interceptors
        ),
    ):
        yield


async def start(temporal: Client, settings: Settings, **request: object) -> Question:
    asked = {"library_id": "l", "query": QUESTION, "embedding_model": embedding_model(settings)}
    question = QueryRequest.model_validate({**asked, **request})
    return await start_question(temporal, task_queue_of(None, settings.task_queue), question)


async def run_question(
    temporal: Client, settings: Settings, rest: Rest | None = None, **request: object
) -> QueryResult:
    async with run_worker(temporal, settings, rest or Rest(CHUNKS, HITS)):
        handle = await start(temporal, settings, **request)
        async with asyncio.timeout(ANSWERED_S):
            return await handle.result()


def embedding_model(settings: Settings) -> str:
    return "embed-v4.0" if settings.provider == "cohere" else settings.openai_embed_model
