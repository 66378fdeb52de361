"""Awaitable forms of computing models: each call runs on a thread.

A thread can't be stopped from outside. A model that computes for long calls `stop_if_cancelled`
between its steps.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from core.contracts.budget import Usage
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

P = ParamSpec("P")
T = TypeVar("T")

_cancelled: ContextVar[threading.Event | None] = ContextVar("_cancelled", default=None)


class Stopped(Exception):
    """A call whose caller no longer waits for it; no one gets to see this error."""


async def call_on_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function on a thread, and have it stop if the caller is cancelled."""
    cancelled = threading.Event()
    before = _cancelled.set(cancelled)
    try:
        return await asyncio.to_thread(function, *args, **kwargs)  # with this context
    except asyncio.CancelledError:
        cancelled.set()
        raise
    finally:
        _cancelled.reset(before)


def stop_if_cancelled() -> None:
    """Check that somebody waits for this thread.

    Raises:
        Stopped: the caller of `call_on_thread` was cancelled.
    """
    cancelled = _cancelled.get()
    if cancelled is not None and cancelled.is_set():
        raise Stopped


class ThreadedEmbedder:
    """An embedder on threads; what it computes is not billed."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @property
    def model(self) -> str:
        return self._embedder.model

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        return await call_on_thread(self._embedder.embed, texts, purpose), Usage()


class ThreadedReranker:
    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker

    async def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        return await call_on_thread(self._reranker.rerank, query, passages, top_n)


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
        return await call_on_thread(self._answerer.answer, query, passages)
