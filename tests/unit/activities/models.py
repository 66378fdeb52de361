"""Deterministic models."""

from collections.abc import Sequence

import numpy as np

from core.contracts.budget import Usage
from core.contracts.query import EarlierTurn
from core.providers.base import (
    Condensed,
    GeneratedAnswer,
    Passage,
    Purpose,
    Reranking,
    ScoredPassage,
    Vectors,
)

USAGE = Usage(input_tokens=3)


class Embeds:
    """An embedder that returns `[length, 1]` for each text."""

    model = "lengths"

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        assert purpose == "query"
        return np.array([[len(text), 1] for text in texts], dtype=np.float32), USAGE


class Reranks:
    """A reranker that puts the shortest text first."""

    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        order = sorted(range(len(passages)), key=lambda index: len(passages[index].text))
        return Reranking(
            tuple(ScoredPassage(index, -len(passages[index].text)) for index in order[:top_n]),
            USAGE,
        )


class Answers:
    """An answerer that joins the texts."""

    def __init__(self, provider: str = "far", model: str = "repeats") -> None:
        self.provider = provider
        self.model = model

    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer:
        return GeneratedAnswer(
            " ".join(passage.text for passage in passages) or "Nothing.", (), USAGE
        )


class Condenses:
    """A condenser that joins the earlier questions and the follow-up."""

    def __init__(self, provider: str = "far") -> None:
        self.provider = provider

    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed:
        asked = [turn.query for turn in turns]
        return Condensed(f"{self.provider}: {' | '.join((*asked, query))}", USAGE)
