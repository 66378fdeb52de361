"""Reranking by `/rerank`, as vLLM, llama.cpp and text-embeddings-inference have it."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from openai import AsyncOpenAI

from core.contracts.budget import Usage
from core.providers.base import Passage, Reranking, ScoredPassage
from core.providers.calls import provider_call
from core.providers.metering import begin_call
from core.providers.openai.config import PROVIDER, Server
from core.providers.openai.errors import openai_errors


class AsyncOpenAIReranker:
    def __init__(self, client: AsyncOpenAI, server: Server) -> None:
        self._client = client
        self._server = server

    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        wanted = min(top_n, len(passages))
        if not wanted:
            return Reranking(())
        texts = [passage.text_in_context for passage in passages]
        with (
            provider_call("rerank", PROVIDER, self._server.model) as call,
            openai_errors(self._server.service),
        ):
            begin_call([query, *texts])
            answer = await self._client.post(
                "/rerank",
                # `texts` is the name of text-embeddings-inference; the others ignore it.
                body={
                    "model": self._server.model,
                    "query": query,
                    "documents": texts,
                    "texts": texts,
                    "top_n": wanted,
                },
                cast_to=object,
            )
            call.report(_usage(answer))
            return self._read(answer, wanted, len(passages))

    def _read(self, answer: Any, wanted: int, passages: int) -> Reranking:
        """Read `{"results": [{"index", "relevance_score"}]}` or a list of `{"index", "score"}`."""
        results = answer["results"] if isinstance(answer, Mapping) else answer
        order = [ScoredPassage(int(result["index"]), _score(result)) for result in results]
        order.sort(key=lambda scored: -scored.score)
        places = {scored.index for scored in order if isfinite(scored.score)}
        if not len(order) == len(places) >= wanted or not places <= set(range(passages)):
            shape = f"{wanted} of {passages} passages were due, not {sorted(places)}"
            raise self._server.service.malformed_answer(shape)
        return Reranking(tuple(order[:wanted]), _usage(answer))


def _score(result: Mapping[str, Any]) -> float:
    return float(result["relevance_score"] if "relevance_score" in result else result["score"])


def _usage(answer: Any) -> Usage:
    counted = answer.get("usage") if isinstance(answer, Mapping) else None
    return Usage(input_tokens=int(counted.get("total_tokens") or 0) if counted else 0)
