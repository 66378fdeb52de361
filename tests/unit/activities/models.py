"""Deterministic providers, computing or asynchronous."""

from collections.abc import Sequence

import numpy as np

from core.contracts.query import Usage
from core.providers.base import GeneratedAnswer, Passage, Purpose, Reranking, ScoredPassage, Vectors

USAGE = Usage(input_tokens=3)


class Embeds:
    """An embedder that returns `[length, 1]` for each text."""

    model = "lengths"
    dimension = 2

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        assert purpose == "query"
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)


class AsyncEmbeds:
    model = "lengths-far"
    dimension = 2

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        return Embeds().embed(texts, purpose), USAGE


class Reranks:
    """A reranker that puts the shortest text first."""

    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        order = sorted(range(len(passages)), key=lambda index: len(passages[index].text))
        return Reranking(
            tuple(ScoredPassage(index, -len(passages[index].text)) for index in order[:top_n]),
            USAGE,
        )


class AsyncReranks:
    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        return Reranks().rerank(query, passages, top_n)


class Answers:
    """An answerer that joins the texts."""

    model = "repeats"

    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        return GeneratedAnswer(
            " ".join(passage.text for passage in passages) or "Nothing.", (), USAGE
        )


class AsyncAnswers:
    model = "repeats-far"

    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        return Answers().answer(query, passages)
