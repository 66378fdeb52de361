"""Embedding, reranking, answering and condensing with Cohere's v2 API, through its SDK.

The SDK's own retries are off; the caller's retry policy is the only one.
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cohere
import httpx
import numpy as np
from cohere import (
    Document,
    EmbedByTypeResponse,
    SystemChatMessageV2,
    UserChatMessageV2,
    V2ChatResponse,
    V2RerankResponse,
)

from core.contracts.budget import Usage
from core.contracts.query import EarlierTurn
from core.domain.batches import batches
from core.domain.errors import ProviderUnavailable
from core.providers import condensing, refusal
from core.providers.base import (
    Condensed,
    GeneratedAnswer,
    Passage,
    Purpose,
    Reranking,
    ScoredPassage,
    Vectors,
)
from core.providers.calls import provider_call
from core.providers.clients import open_client
from core.providers.cohere.citations import read_message
from core.providers.cohere.errors import SERVICE, cohere_errors
from core.providers.metering import begin_call

PROVIDER = "cohere"
EMBEDDING_MODEL = "embed-v4.0"
DIMENSION = 1024
"""The model offers 256, 512, 1024 and 1536, its default; 1024 saves a third of the memory, at
little loss of recall."""
RERANK_MODEL = "rerank-v4.0-fast"
CHAT_MODEL = "command-a-03-2025"

TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_TEXTS_PER_CALL = 96

_INSTRUCTION = (
    "Answer the question from the documents alone, in a few sentences. " + refusal.INSTRUCTION
)


def connect(api_key: str, url: str | None, http: httpx.AsyncClient) -> cohere.AsyncClientV2:
    """Return a client for the awaitable classes; the caller closes `http`."""
    return cohere.AsyncClientV2(api_key, base_url=url, httpx_client=http, max_retries=0)


class CohereEmbedder:
    """The model `embed-v4.0`, blocking: `(n, 1024) float32`."""

    model = EMBEDDING_MODEL
    dimension = DIMENSION

    def __init__(
        self, api_key: str, url: str | None = None, *, timeout: httpx.Timeout = TIMEOUT
    ) -> None:
        http = open_client(httpx.Client, url, timeout)
        self._client = cohere.ClientV2(api_key, base_url=url, httpx_client=http, max_retries=0)
        # The embedder lives as long as its process, so it has no `close`.
        weakref.finalize(self, http.close)

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        rows = [np.empty((0, DIMENSION), dtype=np.float32)]
        for batch in batches(texts, _TEXTS_PER_CALL):
            with provider_call("embeddings", PROVIDER, EMBEDDING_MODEL) as call, cohere_errors():
                response = self._client.embed(
                    model=EMBEDDING_MODEL,
                    input_type=f"search_{purpose}",
                    texts=batch,
                    embedding_types=["float"],
                    output_dimension=DIMENSION,
                )
                call.report(_usage(response.meta))
                rows.append(_vectors(response, len(batch)))
        return np.concatenate(rows)


class AsyncCohereEmbedder:
    """The model `embed-v4.0`, awaitable: `(n, 1024) float32`, and the usage."""

    model = EMBEDDING_MODEL

    def __init__(self, client: cohere.AsyncClientV2) -> None:
        self._client = client

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        rows = [np.empty((0, DIMENSION), dtype=np.float32)]
        usage = Usage()
        for batch in batches(texts, _TEXTS_PER_CALL):
            with provider_call("embeddings", PROVIDER, EMBEDDING_MODEL) as call, cohere_errors():
                begin_call(batch)
                response = await self._client.embed(
                    model=EMBEDDING_MODEL,
                    input_type=f"search_{purpose}",
                    texts=batch,
                    embedding_types=["float"],
                    output_dimension=DIMENSION,
                )
                call.report(_usage(response.meta))
                rows.append(_vectors(response, len(batch)))
                usage += _usage(response.meta)
        return np.concatenate(rows), usage


class AsyncCohereReranker:
    """The model `rerank-v4.0-fast`, awaitable."""

    def __init__(self, client: cohere.AsyncClientV2) -> None:
        self._client = client

    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        wanted = min(top_n, len(passages))
        if not wanted:
            return Reranking(())
        with provider_call("rerank", PROVIDER, RERANK_MODEL) as call, cohere_errors():
            begin_call()  # billed in search units
            response = await self._client.rerank(
                model=RERANK_MODEL,
                query=query,
                documents=[passage.text_in_context for passage in passages],
                top_n=wanted,
            )
            call.report(_usage(response.meta))
            order = _order(response, wanted, len(passages))
            return Reranking(order, _usage(response.meta))


class AsyncCohereAnswerer:
    """The model `command-a-03-2025`, with the passages as documents, which its citations name."""

    provider = PROVIDER
    model = CHAT_MODEL

    def __init__(self, client: cohere.AsyncClientV2) -> None:
        self._client = client

    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        if not passages:
            return GeneratedAnswer()
        with provider_call("chat", PROVIDER, CHAT_MODEL) as call, cohere_errors():
            # Citations are on by default; this model refuses a citation mode by name ("ACCURATE").
            documents = [_document(passage) for passage in passages]
            response = await self._chat(_INSTRUCTION, query, documents=documents)
            usage = _usage(response.usage)
            call.report(usage)
            answer, citations = read_message(response.message, passages)
            if not answer.strip():
                raise SERVICE.malformed_answer("it has no text")
            if refusal.is_refusal(answer):
                return GeneratedAnswer(usage=usage)
            return GeneratedAnswer(answer, citations, usage)

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        """Make a follow-up a question of its own.

        Raises:
            ProviderRejected, ProviderUnavailable: Cohere fails, or returns no question.
        """
        with provider_call("chat", PROVIDER, CHAT_MODEL) as call, cohere_errors():
            message = condensing.prompt(query, turns)
            response = await self._chat(condensing.INSTRUCTION, message)
            call.report(_usage(response.usage))
            text, _ = read_message(response.message, ())
            return Condensed(condensing.read(text, query, SERVICE), _usage(response.usage))

    async def _chat(self, instruction: str, message: str, **more: Any) -> V2ChatResponse:
        """Ask the model, at temperature 0, so that a retry gives the same answer.

        Raises:
            ProviderUnavailable: Cohere gave up.
        """
        begin_call([instruction, message, *_texts(more.get("documents", ()))])
        response = await self._client.chat(
            model=CHAT_MODEL,
            messages=[
                SystemChatMessageV2(content=instruction),
                UserChatMessageV2(content=message),
            ],
            temperature=0.0,
            **more,
        )
        if response.finish_reason in ("ERROR", "TIMEOUT"):
            raise ProviderUnavailable(f"Cohere gave up ({response.finish_reason}).")
        return response


def _document(passage: Passage) -> Document:
    title = {"title": passage.context} if passage.context else {}
    return Document(id=passage.chunk_id, data={**title, "text": passage.text})


def _texts(documents: Iterable[Document]) -> Iterator[str]:
    return (str(text) for document in documents for text in document.data.values())


def _vectors(response: EmbedByTypeResponse, count: int) -> Vectors:
    rows = np.asarray(response.embeddings.float_, dtype=np.float32)
    if rows.shape != (count, DIMENSION) or not np.isfinite(rows).all():
        raise SERVICE.malformed_answer(
            f"{count} vectors of {DIMENSION} numbers were due, not {rows.shape}"
        )
    return rows


def _order(response: V2RerankResponse, wanted: int, passages: int) -> tuple[ScoredPassage, ...]:
    order = tuple(
        ScoredPassage(item.index, float(item.relevance_score)) for item in response.results
    )
    places = {scored.index for scored in order}
    if not len(order) == len(places) == wanted or not places <= set(range(passages)):
        raise SERVICE.malformed_answer(
            f"{wanted} of {passages} passages were due, not {sorted(places)}"
        )
    return order


def _usage(counted: cohere.ApiMeta | cohere.Usage | None) -> Usage:
    billed = counted and counted.billed_units
    if not billed:
        return Usage()
    return Usage(
        input_tokens=int(billed.input_tokens or 0),
        output_tokens=int(billed.output_tokens or 0),
        search_units=int(billed.search_units or 0),
    )
