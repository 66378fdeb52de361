"""A whole question with each remote provider, and what its result tells when the provider fails."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowFailureError

from core.contracts.names import task_queue_of
from core.contracts.query import QueryRequest, QueryResult
from core.providers.registry import open_models
from core.settings import Settings
from tests.cohere_server import CohereServer
from tests.cohere_server import refusal as cohere_refusal
from tests.integration.workflows.stages import start_question
from tests.model_server import Fault, ModelServer
from tests.openai_server import OpenAIServer
from tests.openai_server import refusal as openai_refusal
from tests.unit.activities.rest import Rest
from worker.stages import build_activities
from worker.temporal_worker import build_worker

# The SDK of Cohere warns wherever it parses a union of pydantic models.
pytestmark = pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")

ANSWERED_S = 120.0
QUESTION = "How deep is the harbour of Tamralipti?"
QUOTE = "The harbour of Tamralipti is nine fathoms deep."
CHUNKS = {"c0": (0, QUOTE), "c1": (1, "Caravans carry horses."), "c2": (2, "Ships rest here.")}
HITS = [
    {"chunk_id": chunk_id, "document_id": "d", "score": 0.5, "version": version}
    for chunk_id, (version, _) in CHUNKS.items()
]
KEY = SecretStr("sk-test-0123456789")


@pytest.fixture(params=["cohere", "openai"])
def provider(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def server(provider: str) -> Iterator[ModelServer]:
    kinds: dict[str, type[ModelServer]] = {"cohere": CohereServer, "openai": OpenAIServer}
    with kinds[provider]() as running:
        yield running


@pytest.fixture
def settings(provider: str, server: ModelServer) -> Settings:
    values: dict[str, Any] = {
        "provider": provider,
        "task_queue": f"test-{uuid4()}",
        "cohere_api_key": KEY,
        "cohere_api_url": server.url,
        "openai_api_key": KEY,
        "openai_base_url": server.url,
        "openai_embed_model": "embedder",
        "openai_rerank_model": "reranker",
        "openai_answer_model": "chat",
    }
    return Settings(**values)


async def run_question(temporal: Client, settings: Settings, **request: object) -> QueryResult:
    async with (
        Rest(CHUNKS, HITS).client() as client,
        open_models(settings) as models,
        build_worker(temporal, settings, build_activities(models, client)),
    ):
        asked = {
            "library_id": "l",
            "query": QUESTION,
            "embedding_model": next(iter(models.embedders)),
        }
        question = QueryRequest.model_validate({**asked, **request})
        queue = task_queue_of(None, settings.task_queue)
        async with asyncio.timeout(ANSWERED_S):
            return await (await start_question(temporal, queue, question)).result()


async def test_the_three_roles(
    temporal: Client, settings: Settings, provider: str, server: ModelServer
) -> None:
    result = await run_question(temporal, settings)
    assert (result.provider, result.degraded, result.degraded_because) == (provider, [], {})
    assert [(c.chunk_id, c.quote) for c in result.citations] == [("c0", QUOTE)]
    assert result.hits[0].chunk_id == "c0"
    assert len(server.received) == 3


async def test_what_the_provider_said_is_why(
    temporal: Client, settings: Settings, provider: str, server: ModelServer
) -> None:
    refusal = cohere_refusal if provider == "cohere" else openai_refusal
    said = refusal(422, f"The model is being moved, {KEY.get_secret_value()}.")
    server.fail_next(Fault())  # the question is embedded
    server.fail_next(said, times=2)
    result = await run_question(temporal, settings)
    assert (result.degraded, result.provider) == (["rerank", "answer"], "local")
    for stage in result.degraded:
        why = result.degraded_because[stage]
        assert "refused the request (422): The model is being moved, …" in why
        assert KEY.get_secret_value() not in why


async def test_a_question_that_is_never_embedded_says_why(
    temporal: Client, settings: Settings, server: ModelServer
) -> None:
    server.fail_next(Fault(503), times=50)
    with pytest.raises(WorkflowFailureError) as failure:
        await run_question(temporal, settings, deadline_s=3.0)
    cause = failure.value.__cause__
    assert "Nothing was found within 3.0 s." in str(cause)
    assert "is not available (503)" in str(cause)
