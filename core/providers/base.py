"""Ports of model providers: embedding, reranking, answering.

Each port has a blocking form, for threads, and an awaitable one, for the event loop. `local`
computes, so it implements the blocking forms; `cohere` waits for the network, so it implements
the awaitable ones. Both implement blocking embedding, because the API embeds on threads.
Providers raise `ProviderRejected` and `ProviderUnavailable`, nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.contracts.query import Citation, Usage

Vectors: TypeAlias = NDArray[np.float32]
Purpose = Literal["document", "query"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a provider gets it; `score` is the search's."""

    chunk_id: str
    document_id: str
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoredPassage:
    """A passage's index in the input, and its score; higher is better."""

    index: int
    score: float


@dataclass(frozen=True, slots=True)
class Reranking:
    order: tuple[ScoredPassage, ...]
    """Best first; at most `top_n`."""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class GeneratedAnswer:
    """An answer and its citations, whose spans are checked against the texts."""

    answer: str
    citations: tuple[Citation, ...]
    usage: Usage = field(default_factory=Usage)


class Embedder(Protocol):
    """A model that embeds `n >= 0` texts as `(n, dimension) float32`."""

    @property
    def model(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors: ...


class AsyncEmbedder(Protocol):
    @property
    def model(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]: ...


class Reranker(Protocol):
    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking: ...


class AsyncReranker(Protocol):
    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking: ...


class Answerer(Protocol):
    @property
    def model(self) -> str: ...
    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer: ...


class AsyncAnswerer(Protocol):
    @property
    def model(self) -> str: ...
    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer: ...
