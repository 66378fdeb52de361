"""The Cohere providers through the real SDK, against a fake server."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import cohere
import httpx
import numpy as np
import pytest

from core.contracts.budget import Usage
from core.contracts.query import EarlierTurn
from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.base import Passage
from core.providers.cohere.models import (
    AsyncCohereAnswerer,
    AsyncCohereEmbedder,
    AsyncCohereReranker,
    CohereEmbedder,
    connect,
)
from tests.cohere_server import CohereServer, rate_limited, refusal
from tests.model_server import CUT, MALFORMED, Fault, answering, held

# The SDK warns wherever it parses a union of pydantic models.
pytestmark = pytest.mark.filterwarnings("ignore:The `__fields__` attribute:DeprecationWarning")

KEY = "secret-key"
PASSAGES = [
    Passage("c1", "d1", "Sockets carry bytes. They are closed afterwards."),
    Passage("c2", "d2", "It runs a command. The timeout is given in seconds."),
    Passage("c3", "d3", "Seconds are short."),
]
QUESTION = "Is the timeout given in seconds?"
TURNS = [EarlierTurn(query="What is run?", answer="A command.")]
FOLLOW_UP = "and its timeout?"

Call = Callable[[cohere.AsyncClientV2], Awaitable[object]]


async def embed(client: cohere.AsyncClientV2) -> object:
    return await AsyncCohereEmbedder(client).embed(["a text"], "query")


async def rerank(client: cohere.AsyncClientV2) -> object:
    return await AsyncCohereReranker(client).rerank(QUESTION, PASSAGES, 2)


async def answer(client: cohere.AsyncClientV2) -> object:
    return await AsyncCohereAnswerer(client).answer(QUESTION, PASSAGES)


async def condense(client: cohere.AsyncClientV2) -> object:
    return await AsyncCohereAnswerer(client).condense(FOLLOW_UP, TURNS)


async def embed_blocking(client: cohere.AsyncClientV2) -> object:
    embedder = CohereEmbedder(KEY, _url(client), timeout=_timeout(client))
    return await asyncio.to_thread(embedder.embed, ["a text"], "document")


def _url(client: cohere.AsyncClientV2) -> str:
    return client._client_wrapper.get_base_url()


def _timeout(client: cohere.AsyncClientV2) -> httpx.Timeout:
    timeout: httpx.Timeout = client._client_wrapper.httpx_client.httpx_client.timeout
    return timeout


EVERY_CALL = pytest.mark.parametrize("call", [embed, rerank, answer, condense, embed_blocking])


@pytest.fixture
def server() -> Iterator[CohereServer]:
    with CohereServer() as running:
        yield running


@pytest.fixture
async def client(server: CohereServer) -> AsyncIterator[cohere.AsyncClientV2]:
    async with httpx.AsyncClient(timeout=30) as http:
        yield connect(KEY, server.url, http)


@pytest.fixture
async def impatient(server: CohereServer) -> AsyncIterator[cohere.AsyncClientV2]:
    async with httpx.AsyncClient(timeout=0.5) as http:
        yield connect(KEY, server.url, http)


async def failure(call: Call, client: cohere.AsyncClientV2) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await call(client)
    return caught.value


async def test_texts_are_embedded_in_order_and_96_a_call(
    server: CohereServer, client: cohere.AsyncClientV2
) -> None:
    texts = [f"text number {n}" for n in range(200)]
    vectors, usage = await AsyncCohereEmbedder(client).embed(texts, "document")
    assert [len(received.body["texts"]) for received in server.received] == [96, 96, 8]
    assert [text for received in server.received for text in received.body["texts"]] == texts
    assert vectors.shape == (200, 1024)
    assert vectors.dtype == np.float32
    alone, _ = await AsyncCohereEmbedder(client).embed([texts[150]], "document")
    assert np.array_equal(vectors[150], alone[0])
    assert usage == Usage(input_tokens=600)


async def test_both_embedders_say_the_same(
    server: CohereServer, client: cohere.AsyncClientV2
) -> None:
    awaited, _ = await AsyncCohereEmbedder(client).embed(["a text"], "query")
    blocking = await asyncio.to_thread(CohereEmbedder(KEY, server.url).embed, ["a text"], "query")
    assert np.array_equal(awaited, blocking)
    first, second = (received.body for received in server.received)
    assert first == second
    assert first["input_type"] == "search_query"


async def test_nothing_to_do_sends_no_request(
    server: CohereServer, client: cohere.AsyncClientV2
) -> None:
    vectors, usage = await AsyncCohereEmbedder(client).embed([], "document")
    assert (vectors.shape, usage) == ((0, 1024), Usage())
    assert CohereEmbedder(KEY, server.url).embed([], "document").shape == (0, 1024)
    assert (await AsyncCohereReranker(client).rerank(QUESTION, [], 5)).order == ()
    assert (await AsyncCohereAnswerer(client).answer(QUESTION, [])).answer is None
    assert server.received == []


async def test_rerank(server: CohereServer, client: cohere.AsyncClientV2) -> None:
    reranking = await AsyncCohereReranker(client).rerank(QUESTION, PASSAGES, 2)
    assert [scored.index for scored in reranking.order] == [1, 2]
    assert reranking.order[0].score > reranking.order[1].score
    assert reranking.usage == Usage(search_units=1)
    everything = await AsyncCohereReranker(client).rerank(QUESTION, PASSAGES, 99)
    assert len(everything.order) == 3
    assert [received.body["top_n"] for received in server.received] == [2, 3]


async def test_a_model_that_finds_no_answer_gives_none(
    server: CohereServer, client: cohere.AsyncClientV2
) -> None:
    content = [{"type": "text", "text": "NO ANSWER."}]
    server.fail_next(answering({"message": {"role": "assistant", "content": content}}))
    generated = await AsyncCohereAnswerer(client).answer(QUESTION, PASSAGES)
    assert (generated.answer, generated.citations) == (None, ())


async def test_the_context_goes_along_and_is_not_quoted(
    server: CohereServer, client: cohere.AsyncClientV2
) -> None:
    passages = [replace(PASSAGES[1], context="subprocess › run")]
    await AsyncCohereReranker(client).rerank(QUESTION, passages, 1)
    generated = await AsyncCohereAnswerer(client).answer(QUESTION, passages)
    rerank, chat = (received.body for received in server.received)
    assert rerank["documents"] == [f"subprocess › run\n{PASSAGES[1].text}"]
    assert chat["documents"][0]["data"] == {
        "title": "subprocess › run",
        "text": PASSAGES[1].text,
    }
    assert generated.citations[0].quote == "The timeout is given in seconds."


async def test_answer(server: CohereServer, client: cohere.AsyncClientV2) -> None:
    generated = await AsyncCohereAnswerer(client).answer(QUESTION, PASSAGES)
    (citation,) = generated.citations
    assert generated.answer is not None
    cited = generated.answer[citation.start : citation.end]
    assert cited == citation.quote == "The timeout is given in seconds."
    assert PASSAGES[1].text[citation.quote_start : citation.quote_end] == citation.quote
    assert (citation.chunk_id, citation.document_id) == ("c2", "d2")
    assert generated.usage.input_tokens > 0
    assert generated.usage.output_tokens > 0
    body = server.received[0].body
    assert body["messages"][-1] == {"role": "user", "content": QUESTION}
    assert [document["id"] for document in body["documents"]] == ["c1", "c2", "c3"]


async def test_a_follow_up_is_condensed(server: CohereServer, client: cohere.AsyncClientV2) -> None:
    server.rewritten[FOLLOW_UP] = "What is the timeout of run?"
    condensed = await AsyncCohereAnswerer(client).condense(FOLLOW_UP, TURNS)
    assert condensed.query == "What is the timeout of run?"
    assert condensed.usage.input_tokens > 0
    assert "documents" not in server.received[0].body


@EVERY_CALL
@pytest.mark.parametrize("status", [401, 403, 422])
async def test_a_refusal(
    server: CohereServer, client: cohere.AsyncClientV2, call: Call, status: int
) -> None:
    server.fail_next(refusal(status, f"not with {KEY}" if status == 401 else "not so"))
    error = await failure(call, client)
    assert type(error) is ProviderRejected
    assert KEY not in str(error)
    assert ("CO_API_KEY" in str(error)) is (status == 401)
    assert len(server.received) == 1


@EVERY_CALL
async def test_a_rate_limit_says_when_to_come_back(
    server: CohereServer, client: cohere.AsyncClientV2, call: Call
) -> None:
    server.fail_next(rate_limited("7"))
    error = await failure(call, client)
    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after_s == 7
    assert len(server.received) == 1


@EVERY_CALL
@pytest.mark.parametrize(
    "fault",
    [
        refusal(500),
        refusal(503),
        Fault(status=502, body=b"<html>Bad gateway</html>"),
        CUT,
        MALFORMED,
        Fault(body=b"\xff\xfe"),
        Fault(body=b"[" * 100_000),
    ],
    ids=["500", "503", "not JSON", "cut", "malformed", "not text", "too deep"],
)
async def test_a_failure_is_not_retried_here(
    server: CohereServer, client: cohere.AsyncClientV2, call: Call, fault: Fault
) -> None:
    server.fail_next(fault)
    assert type(await failure(call, client)) is ProviderUnavailable
    assert len(server.received) == 1
    await call(client)
    assert len(server.received) == 2


@EVERY_CALL
async def test_a_slow_answer_times_out(
    server: CohereServer, impatient: cohere.AsyncClientV2, call: Call
) -> None:
    release = threading.Event()
    server.fail_next(held(release))
    try:
        error = await failure(call, impatient)
    finally:
        release.set()
    assert isinstance(error, ProviderUnavailable)
    assert "in time" in str(error)
    assert len(server.received) == 1


async def test_no_server_at_all() -> None:
    with CohereServer() as gone:
        url = gone.url
    async with httpx.AsyncClient(timeout=5) as http:
        error = await failure(embed, connect(KEY, url, http))
    assert type(error) is ProviderUnavailable


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "http://[::1"])
async def test_a_url_that_is_none(url: str) -> None:
    async with httpx.AsyncClient(timeout=5) as http:
        error = await failure(embed, connect(KEY, url, http))
    assert type(error) is ProviderRejected
    assert "CO_API_URL" in str(error)


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
async def test_a_key_that_can_not_be_sent(server: CohereServer, key: str) -> None:
    async with httpx.AsyncClient(timeout=5) as http:
        error = await failure(embed, connect(key, server.url, http))
    assert type(error) is ProviderRejected
    assert key not in str(error)


SHAPES: list[object] = [
    None,
    "text",
    [],
    {},
    {"embeddings": None},
    {"embeddings": 3},
    {"embeddings": {}},
    {"embeddings": {"float": 3}},
    {"embeddings": {"float": [["a"]]}},
    {"embeddings": {"float": []}},
    {"embeddings": {"float": [[1.0, 2.0]]}},
    {"embeddings": {"float": [[float("nan")] * 1024]}},
    {"results": None},
    {"results": [3, 3]},
    {"results": [{}, {}]},
    {"results": [{"index": 0, "relevance_score": 1.0}] * 2},
    {"results": [{"index": n, "relevance_score": 1.0} for n in (2, 3)]},
    {"results": [{"index": n, "relevance_score": None} for n in (0, 1)]},
    {"message": 3},
    {"message": {}},
    {"message": {"content": 3}},
    {"message": {"content": [3]}},
    {"message": {"content": [{"type": "text", "text": " "}]}},
    {"message": {"content": [{"type": "text", "text": 3}]}},
    {"message": {"content": [{"type": "text", "text": "Yes."}], "citations": [3]}},
    {"message": {"content": [{"type": "text", "text": "Yes."}]}, "finish_reason": "ERROR"},
]


@EVERY_CALL
@pytest.mark.parametrize("shape", SHAPES, ids=repr)
async def test_an_answer_of_the_wrong_shape(
    server: CohereServer, client: cohere.AsyncClientV2, call: Call, shape: object
) -> None:
    server.fail_next(answering(shape))
    assert type(await failure(call, client)) is ProviderUnavailable
