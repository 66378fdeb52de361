"""Awaitable forms of computing models: each call runs on a thread."""

import asyncio
from collections.abc import Sequence

from core.contracts.query import Usage
from core.providers.base import (
    Answerer,
    Embedder,
    GeneratedAnswer,
    Passage,
    Purpose,
    Reranker,
    Reranking,
    Vectors,
)


class ThreadedEmbedder:
    """An embedder on threads; what it computes is not billed."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        return self._embedder.model

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        return await asyncio.to_thread(self._embedder.embed, texts, purpose), Usage()


class ThreadedReranker:
    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        return await asyncio.to_thread(self._reranker.rerank, query, passages, top_n)


class ThreadedAnswerer:
    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    @property
    def provider(self) -> str:
        return self._answerer.provider

    @property
    def model(self) -> str:
        return self._answerer.model

    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        return await asyncio.to_thread(self._answerer.answer, query, passages)
