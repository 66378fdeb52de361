"""The OpenAI-compatible provider through the real SDK, against a local server."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest
from openai import AsyncOpenAI

from core.contracts.budget import Usage
from core.contracts.query import EarlierTurn
from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.base import Passage
from core.providers.openai.answerer import AsyncOpenAIAnswerer
from core.providers.openai.client import open_server
from core.providers.openai.config import EmbedOptions, Server
from core.providers.openai.embedder import AsyncOpenAIEmbedder, OpenAIEmbedder
from core.providers.openai.reranker import AsyncOpenAIReranker
from core.providers.streaming import listening
from tests.model_server import CUT, MALFORMED, Fault, answering, held
from tests.openai_server import (
    DIMENSION,
    WRONG_SHAPES,
    OpenAIServer,
    error_body,
    rate_limited,
    refusal,
)

KEY = "sk-test-0123456789"
PASSAGES = [
    Passage("c1", "d1", "Sockets carry bytes. They are closed afterwards."),
    Passage("c2", "d2", "It runs a command. The timeout is given in seconds."),
    Passage("c3", "d3", "Seconds are short."),
]
QUESTION = "Is the timeout given in seconds?"
TURNS = [EarlierTurn(query="What is it?", condensed_query="What is run?", answer="A\ncommand.")]
FOLLOW_UP = "and its timeout?"

Call = Callable[[Server], Awaitable[object]]


def of(server: Server, model: str) -> Server:
    return replace(server, model=model)


async def embed(server: Server) -> object:
    async with open_server(of(server, "embedder"), QUICK) as client:
        return await AsyncOpenAIEmbedder(client, of(server, "embedder")).embed(["a text"], "query")


async def rerank(server: Server) -> object:
    async with open_server(server, QUICK) as client:
        reranker = AsyncOpenAIReranker(client, of(server, "reranker"))
        return await reranker.rerank(QUESTION, PASSAGES, 2)


async def answer(server: Server) -> object:
    async with open_server(server, QUICK) as client:
        return await AsyncOpenAIAnswerer(client, of(server, "chat")).answer(QUESTION, PASSAGES)


async def condense(server: Server) -> object:
    async with open_server(server, QUICK) as client:
        return await AsyncOpenAIAnswerer(client, of(server, "chat")).condense(FOLLOW_UP, TURNS)


async def embed_blocking(server: Server) -> object:
    embedder = OpenAIEmbedder(of(server, "embedder"), timeout=QUICK)
    return await asyncio.to_thread(embedder.embed, ["a text"], "document")


QUICK = httpx.Timeout(30.0)
EVERY_CALL = pytest.mark.parametrize("call", [embed, rerank, answer, condense, embed_blocking])


@pytest.fixture
def fake() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def server(fake: OpenAIServer) -> Server:
    return Server(fake.url, KEY, "embedder", "NALANDA_OPENAI_BASE_URL")


@pytest.fixture
async def client(server: Server) -> AsyncIterator[AsyncOpenAI]:
    async with open_server(server) as opened:
        yield opened


async def failure(call: Call, server: Server) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await call(server)
    assert KEY not in str(caught.value)
    return caught.value


async def test_texts_are_embedded_in_order_and_32_a_call(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    texts = [f"text number {n}" for n in range(70)]
    vectors, usage = await AsyncOpenAIEmbedder(client, server).embed(texts, "document")
    assert [len(received.body["input"]) for received in fake.received] == [32, 32, 6]
    assert [text for received in fake.received for text in received.body["input"]] == texts
    assert vectors.shape == (70, DIMENSION)
    assert vectors.dtype == np.float32
    alone, _ = await AsyncOpenAIEmbedder(client, server).embed([texts[50]], "document")
    assert np.array_equal(vectors[50], alone[0])
    assert usage == Usage(input_tokens=210)


async def test_both_forms_send_and_read_the_same(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    options = EmbedOptions(8, query_prefix="query: ", document_prefix="passage: ")
    blocking = OpenAIEmbedder(server, options)
    for purpose in ("query", "document"):
        awaited, _ = await AsyncOpenAIEmbedder(client, server, options).embed(["a text"], purpose)
        assert np.array_equal(awaited, await asyncio.to_thread(blocking.embed, ["a text"], purpose))
    first, second, third, fourth = (received.body for received in fake.received)
    assert first == second
    assert (first["input"], third["input"]) == (["query: a text"], ["passage: a text"])
    assert (third == fourth, first["dimensions"], first["encoding_format"]) == (True, 8, "float")
    assert blocking.dimension == 8
    assert len(fake.received) == 4


def test_the_dimension_is_asked_for_once(fake: OpenAIServer, server: Server) -> None:
    embedder = OpenAIEmbedder(server)
    assert (embedder.dimension, embedder.dimension) == (DIMENSION, DIMENSION)
    assert "dimensions" not in fake.received[0].body
    assert len(fake.received) == 1


async def test_nothing_to_do_sends_no_request(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    vectors, usage = await AsyncOpenAIEmbedder(client, server).embed([], "document")
    assert (len(vectors), usage) == (0, Usage())
    assert len(OpenAIEmbedder(server).embed([], "document")) == 0
    assert (await AsyncOpenAIReranker(client, server).rerank(QUESTION, [], 5)).order == ()
    assert (await AsyncOpenAIAnswerer(client, server).answer(QUESTION, [])).answer is None
    assert fake.received == []


async def test_rerank(fake: OpenAIServer, server: Server, client: AsyncOpenAI) -> None:
    reranker = AsyncOpenAIReranker(client, of(server, "reranker"))
    reranking = await reranker.rerank(QUESTION, PASSAGES, 2)
    assert [scored.index for scored in reranking.order] == [1, 2]
    assert reranking.order[0].score > reranking.order[1].score
    assert reranking.usage == Usage(input_tokens=7)
    assert len((await reranker.rerank(QUESTION, PASSAGES, 99)).order) == 3
    assert [received.body["top_n"] for received in fake.received] == [2, 3]


async def test_the_order_of_text_embeddings_inference(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    """It answers with a bare list of all texts, in any order."""
    fake.fail_next(answering([{"index": n, "score": s} for n, s in enumerate((0.1, 0.3, 0.2))]))
    reranking = await AsyncOpenAIReranker(client, server).rerank(QUESTION, PASSAGES, 2)
    assert [(scored.index, scored.score) for scored in reranking.order] == [(1, 0.3), (2, 0.2)]
    assert fake.received[0].body["texts"] == [passage.text for passage in PASSAGES]


async def test_answer(fake: OpenAIServer, server: Server, client: AsyncOpenAI) -> None:
    generated = await AsyncOpenAIAnswerer(client, of(server, "chat")).answer(QUESTION, PASSAGES)
    assert generated.answer == "The sources say so. The timeout is given in seconds."
    (citation,) = generated.citations
    cited = generated.answer[citation.start : citation.end]
    assert cited == citation.quote == "The timeout is given in seconds."
    assert PASSAGES[1].text[citation.quote_start : citation.quote_end] == citation.quote
    assert (citation.chunk_id, citation.document_id) == ("c2", "d2")
    assert generated.usage == Usage(input_tokens=11, output_tokens=5)
    body = fake.received[0].body
    assert (body["stream"], body["temperature"]) == (True, 0.0)
    assert httpx.Headers(fake.received[0].headers)["Authorization"] == f"Bearer {KEY}"


async def test_a_follow_up_is_condensed_from_its_turns(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    fake.rewritten[FOLLOW_UP] = "“What is the timeout of run?”"
    condensed = await AsyncOpenAIAnswerer(client, of(server, "chat")).condense(FOLLOW_UP, TURNS)
    assert condensed.query == "What is the timeout of run?"
    assert condensed.usage == Usage(input_tokens=11, output_tokens=5)
    assert fake.received[0].body["messages"][-1]["content"] == (
        "Conversation:\nQuestion: What is run?\nAnswer: A command.\n\n"
        "Last question: and its timeout?"
    )


async def test_quotes_inside_a_condensed_question_are_its_own(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    fake.rewritten[FOLLOW_UP] = 'What is the timeout of "run"'
    condensed = await AsyncOpenAIAnswerer(client, of(server, "chat")).condense(FOLLOW_UP, TURNS)
    assert condensed.query == 'What is the timeout of "run"'


async def test_a_question_that_the_model_repeats_stands_on_its_own(
    server: Server, client: AsyncOpenAI
) -> None:
    condensed = await AsyncOpenAIAnswerer(client, of(server, "chat")).condense(QUESTION, TURNS)
    assert condensed.query is None


@pytest.mark.parametrize("reply", ["What?\nIt is a command.", "long " * 1000, '""'])
async def test_a_reply_that_is_no_question_is_malformed(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI, reply: str
) -> None:
    fake.rewritten[FOLLOW_UP] = reply
    with pytest.raises(ProviderUnavailable, match="not a question on one line"):
        await AsyncOpenAIAnswerer(client, of(server, "chat")).condense(FOLLOW_UP, TURNS)


async def test_the_context_goes_along_and_is_not_quoted(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    passages = [replace(PASSAGES[1], context="subprocess › run")]
    await AsyncOpenAIReranker(client, of(server, "reranker")).rerank(QUESTION, passages, 1)
    generated = await AsyncOpenAIAnswerer(client, of(server, "chat")).answer(QUESTION, passages)
    rerank, chat = (received.body for received in fake.received)
    assert rerank["documents"] == [f"subprocess › run\n{PASSAGES[1].text}"]
    assert "[1]\nsubprocess › run\nIt runs" in chat["messages"][1]["content"]
    assert generated.citations[0].quote == "The timeout is given in seconds."


async def test_a_model_that_refuses_a_temperature_is_asked_without(
    fake: OpenAIServer, server: Server
) -> None:
    said = error_body("Only the default is supported.", "unsupported_value", "temperature")
    fake.fail_next(Fault(400, said))
    await answer(server)
    assert ["temperature" in received.body for received in fake.received] == [True, False]


def stream_of(*events: str) -> Fault:
    body = "".join(f"data: {event}\n\n" for event in events).encode()
    return Fault(body=body, headers={"Content-Type": "text/event-stream"})


def delta(text: str, reason: str = "null") -> str:
    return (
        '{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": '
        f'[{{"index": 0, "delta": {{"content": "{text}"}}, "finish_reason": {reason}}}]}}'
    )


async def test_thoughts_are_no_part_of_the_answer(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    fake.fail_next(stream_of(delta("<think>Hm."), delta("</think> It is.", '"stop"'), "[DONE]"))
    generated = await AsyncOpenAIAnswerer(client, server).answer(QUESTION, PASSAGES)
    assert (generated.answer, generated.citations) == ("It is.", ())


async def test_the_text_is_passed_on_as_it_comes(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI
) -> None:
    pieces: list[str] = []
    answerer = AsyncOpenAIAnswerer(client, of(server, "chat"))
    with listening(pieces.append):
        await answerer.answer(QUESTION, PASSAGES)
    assert pieces[:3] == ["The ", "sources ", "say "]
    thoughts = [delta("<thi"), delta("nk>Hm. "), delta("So?</think>"), delta(" It "), delta("is.")]
    fake.fail_next(stream_of(*thoughts, delta("", '"stop"'), "[DONE]"))
    pieces.clear()
    with listening(pieces.append):
        await answerer.answer(QUESTION, PASSAGES)
    assert pieces == ["It ", "is."]


@pytest.mark.parametrize("said", ["NO ANSWER", " **No answer.**", "<think>?</think>NO ANSWER"])
async def test_a_model_that_finds_no_answer_gives_none(
    fake: OpenAIServer, server: Server, client: AsyncOpenAI, said: str
) -> None:
    fake.fail_next(stream_of(delta(said, '"stop"'), "[DONE]"))
    generated = await AsyncOpenAIAnswerer(client, server).answer(QUESTION, PASSAGES)
    assert (generated.answer, generated.citations) == (None, ())


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((), "cut off"),
        ((delta("It is"),), "cut off"),
        ((delta("It is"), "[DONE]"), "cut off"),
        ((delta("It is", '"content_filter"'), "[DONE]"), "content filter"),
        ((delta("It is"), '{"error": {"message": "out of memory"}}'), "out of memory"),
        ((delta("It is"), "{not JSON"), "wrong shape"),
        ((delta(" ", '"stop"'), "[DONE]"), "no text"),
        (('{"choices": [3]}',), "wrong shape"),
    ],
)
async def test_a_stream_that_does_not_end_well(
    fake: OpenAIServer, server: Server, events: tuple[str, ...], said: str
) -> None:
    fake.fail_next(stream_of(*events))
    error = await failure(answer, server)
    assert type(error) is ProviderUnavailable
    assert said in str(error)


@EVERY_CALL
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal(fake: OpenAIServer, server: Server, call: Call, status: int) -> None:
    fake.fail_next(refusal(status, f"not with {KEY}"))
    error = await failure(call, server)
    assert type(error) is ProviderRejected
    assert ("OPENAI_API_KEY" in str(error)) is (status == 401)
    assert len(fake.received) == 1


@EVERY_CALL
async def test_an_unknown_model_is_named(fake: OpenAIServer, server: Server, call: Call) -> None:
    fake.fail_next(refusal(404, "The model `nonesuch` does not exist", "model_not_found"))
    error = await failure(call, server)
    assert type(error) is ProviderRejected
    assert "`nonesuch` does not exist" in str(error)


@EVERY_CALL
async def test_a_rate_limit_says_when_to_come_back(
    fake: OpenAIServer, server: Server, call: Call
) -> None:
    fake.fail_next(rate_limited("7"))
    error = await failure(call, server)
    assert isinstance(error, ProviderUnavailable)
    assert error.retry_after_s == 7
    assert len(fake.received) == 1


@EVERY_CALL
@pytest.mark.parametrize(
    "fault", [CUT, MALFORMED, Fault(503), Fault(500, b"<html>"), Fault(body=b"hello")], ids=repr
)
async def test_what_may_work_later(
    fake: OpenAIServer, server: Server, call: Call, fault: Fault
) -> None:
    fake.fail_next(fault)
    assert type(await failure(call, server)) is ProviderUnavailable


@EVERY_CALL
async def test_a_server_that_is_silent(
    fake: OpenAIServer, server: Server, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setitem(globals(), "QUICK", httpx.Timeout(0.3))
    fake.fail_next(held(release))
    try:
        error = await failure(call, server)
    finally:
        release.set()
    assert type(error) is ProviderUnavailable
    assert "in time" in str(error)


@EVERY_CALL
async def test_a_server_that_does_not_listen(server: Server, call: Call) -> None:
    error = await failure(call, replace(server, url="http://127.0.0.1:1/v1"))
    assert type(error) is ProviderUnavailable
    assert "the server 127.0.0.1:1 (ConnectError)" in str(error)


@EVERY_CALL
@pytest.mark.parametrize("url", ["ftp://example", "http://[::", "nonsense"])
async def test_an_address_that_can_not_be_called(server: Server, call: Call, url: str) -> None:
    error = await failure(call, replace(server, url=url))
    assert type(error) is ProviderRejected
    assert "NALANDA_OPENAI_BASE_URL" in str(error)


@EVERY_CALL
@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
async def test_a_key_that_can_not_be_sent(server: Server, call: Call, key: str) -> None:
    error = await failure(call, replace(server, key=key))
    assert type(error) is ProviderRejected
    assert key not in str(error)


@EVERY_CALL
@pytest.mark.parametrize("shape", WRONG_SHAPES, ids=repr)
async def test_an_answer_of_the_wrong_shape(
    fake: OpenAIServer, server: Server, call: Call, shape: object
) -> None:
    fake.fail_next(answering(shape))
    assert type(await failure(call, server)) is ProviderUnavailable
