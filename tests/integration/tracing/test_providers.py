"""Spans of calls to providers, and the trace in their requests."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from core.contracts.query import EarlierTurn
from core.domain.errors import ProviderError
from core.providers.base import Models, Passage, ProviderFactory
from core.providers.cohere import CohereFactory
from core.providers.openai import OpenAIFactory
from core.settings import Settings
from tests.cohere_server import CohereServer
from tests.model_server import Fault, ModelServer
from tests.openai_server import OpenAIServer
from tests.spans import RecordedSpans, attributes_of, check_conventions, id_of, trace_of

# The SDK of Cohere warns wherever it parses a union of pydantic models.
pytestmark = pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")

KEY = "sk-test-0123456789"
SECRET = "Xanadu"
PASSAGES = [Passage(f"c{n}", "d", f"{SECRET} has {n} rivers.", context=SECRET) for n in range(3)]
FACTORIES: dict[str, tuple[ProviderFactory, type[ModelServer]]] = {
    "cohere": (CohereFactory(), CohereServer),
    "openai": (OpenAIFactory(), OpenAIServer),
}

Call = Callable[[Models], Awaitable[object]]


async def embed(models: Models) -> object:
    return await models.embedder.embed([SECRET], "query")


async def rerank(models: Models) -> object:
    assert models.reranker is not None
    return await models.reranker.rerank(SECRET, PASSAGES, 2)


async def answer(models: Models) -> object:
    assert models.answerer is not None
    return await models.answerer.answer(f"How many rivers has {SECRET}?", PASSAGES)


async def condense(models: Models) -> object:
    assert models.condenser is not None
    return await models.condenser.condense(f"And {SECRET}?", [EarlierTurn(query=SECRET)])


CALLS: dict[str, tuple[Call, str]] = {
    "embed": (embed, "embeddings"),
    "rerank": (rerank, "rerank"),
    "answer": (answer, "chat"),
    "condense": (condense, "chat"),
}


def settings_of(server: ModelServer) -> Settings:
    return Settings(**server.settings(KEY))


@pytest.mark.parametrize("provider", FACTORIES)
@pytest.mark.parametrize("call", CALLS)
async def test_a_call_is_a_span_whose_trace_goes_on(
    recorded: RecordedSpans, provider: str, call: str
) -> None:
    factory, kind = FACTORIES[provider]
    make, operation = CALLS[call]
    with kind() as server:
        async with factory.open_models(settings_of(server)) as models:
            await make(models)
    [span] = recorded.all
    attributes = attributes_of(span)
    check_conventions(span.name, attributes)
    assert span.kind is SpanKind.CLIENT
    assert span.name == f"{operation} {attributes['gen_ai.request.model']}"
    assert attributes["gen_ai.operation.name"] == operation
    assert attributes["gen_ai.provider.name"] == provider
    url = httpx.URL(server.url)
    assert (attributes["server.address"], attributes["server.port"]) == (url.host, url.port)
    [received] = server.received
    sent = {name.lower(): value for name, value in received.headers.items()}["traceparent"]
    assert sent.startswith(f"00-{trace_of(span):032x}-{id_of(span):016x}-")
    if call in {"embed", "answer"}:
        assert int(str(attributes["gen_ai.usage.input_tokens"])) > 0
    assert SECRET not in recorded.content
    assert KEY not in recorded.content


@pytest.mark.parametrize("provider", FACTORIES)
async def test_a_failure_has_its_type_alone(recorded: RecordedSpans, provider: str) -> None:
    factory, kind = FACTORIES[provider]
    with kind() as server:
        server.fail_next(Fault(503, SECRET.encode()))
        async with factory.open_models(settings_of(server)) as models:
            with pytest.raises(ProviderError):
                await answer(models)
    [span] = recorded.all
    assert attributes_of(span)["error.type"] == "ProviderUnavailable"
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in recorded.content


@pytest.mark.parametrize("provider", FACTORIES)
def test_the_blocking_embedder_is_recorded(recorded: RecordedSpans, provider: str) -> None:
    factory, kind = FACTORIES[provider]
    with kind() as server:
        factory.embedder(settings_of(server)).embed([SECRET], "document")
    [span] = recorded.all
    assert attributes_of(span)["gen_ai.operation.name"] == "embeddings"
    assert "traceparent" in {name.lower() for name in server.received[0].headers}


async def test_without_tracing_no_request_has_a_trace() -> None:
    with CohereServer() as server:
        async with CohereFactory().open_models(settings_of(server)) as models:
            await embed(models)
    assert "traceparent" not in {name.lower() for name in server.received[0].headers}
