"""Ports of model providers: embedding, reranking, answering, condensing, and their factory.

The worker awaits its models on the event loop; `threads.py` gives a computing model that form.
The API embeds on threads, so an embedder also has a blocking form. Providers raise
`ProviderRejected` and `ProviderUnavailable`, nothing else.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.contracts.budget import Usage
from core.contracts.query import Citation, EarlierTurn
from core.settings import Settings

Vectors: TypeAlias = NDArray[np.float32]
Purpose = Literal["document", "query"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a provider gets it; `score` is the search's.

    `context` has its document's title and the headings above it; quotes are of `text` alone.
    """

    chunk_id: str
    document_id: str
    text: str
    score: float = 0.0
    context: str = ""

    @property
    def text_in_context(self) -> str:
        """Return the text below its context, for models that read the whole passage."""
        return f"{self.context}\n{self.text}" if self.context else self.text


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
    """An answer and its citations, whose spans are checked against the texts.

    Without an answer nothing relevant was found.
    """

    answer: str | None = None
    citations: tuple[Citation, ...] = ()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Condensed:
    """A follow-up as a question of its own; `query` is `None` if it stands on its own already."""

    query: str | None = None
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
    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]: ...


class Reranker(Protocol):
    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking: ...


class AsyncReranker(Protocol):
    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking: ...


class Answerer(Protocol):
    """A model that answers from passages; `provider` is named in the result."""

    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer: ...


class AsyncAnswerer(Protocol):
    @property
    def provider(self) -> str: ...
    @property
    def model(self) -> str: ...
    async def answer(self, query: str, passages: Sequence[Passage]) -> GeneratedAnswer: ...


class AsyncCondenser(Protocol):
    """A model that makes a follow-up a question of its own; `turns` has at least one."""

    @property
    def provider(self) -> str: ...
    async def condense(self, query: str, turns: Sequence[EarlierTurn]) -> Condensed: ...


@dataclass(frozen=True, slots=True)
class Models:
    """The awaitable models of one provider; a missing one is left to the provider `local`."""

    embedder: AsyncEmbedder
    reranker: AsyncReranker | None
    answerer: AsyncAnswerer | None
    condenser: AsyncCondenser | None = None


class ProviderFactory(Protocol):
    """Builds the models of one provider from the settings.

    A method that builds imports the provider's SDK, which may take seconds; the module of the
    factory does not. `is_remote`: its models wait for a network, and do not compute here.
    """

    @property
    def name(self) -> str: ...
    @property
    def is_remote(self) -> bool: ...

    def missing(self, settings: Settings) -> str | None:
        """Return what the settings lack for this provider as a sentence, or `None`."""
        ...

    def embedder(self, settings: Settings) -> Embedder:
        """Return the blocking embedder.

        Raises:
            ProviderRejected: the settings or the environment can't be used.
        """
        ...

    def open_models(self, settings: Settings) -> AbstractAsyncContextManager[Models]:
        """Open the awaitable models, whose connections close with the block.

        Raises:
            ProviderRejected: the settings or the environment can't be used.
        """
        ...
