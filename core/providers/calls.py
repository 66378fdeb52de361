"""Spans of calls to providers, by the conventions for generative AI; they hold no text."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeAlias

import httpx

from core.contracts.budget import Usage
from core.tracing import spans
from core.tracing.conventions import (
    GEN_AI_INPUT_TOKENS,
    GEN_AI_MODEL,
    GEN_AI_OPERATION,
    GEN_AI_OUTPUT_TOKENS,
    GEN_AI_PROVIDER,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from core.tracing.spans import NO_SPAN, Span

Operation: TypeAlias = Literal["embeddings", "rerank", "chat"]
"""Names of the conventions, which have none for reranking."""

_PORTS = {"http": 80, "https": 443}

_span: ContextVar[Span] = ContextVar("_span", default=NO_SPAN)


class ProviderCall:
    """A call to a provider that is being made."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def report(self, usage: Usage) -> None:
        """Add the tokens that the provider has counted."""
        if usage.input_tokens:
            self._span.set(GEN_AI_INPUT_TOKENS, usage.input_tokens)
        if usage.output_tokens:
            self._span.set(GEN_AI_OUTPUT_TOKENS, usage.output_tokens)


@contextmanager
def provider_call(operation: Operation, provider: str, model: str) -> Iterator[ProviderCall]:
    """Record the call that the block makes and reads."""
    attributes: spans.Attributes = {
        GEN_AI_OPERATION: operation,
        GEN_AI_PROVIDER: provider,
        GEN_AI_MODEL: model,
    }
    with spans.span(f"{operation} {model}", "client", attributes) as current:
        before = _span.set(current)
        try:
            yield ProviderCall(current)
        finally:
            _span.reset(before)


def event_hooks(kind: type[httpx.Client | httpx.AsyncClient]) -> dict[str, list[Any]]:
    """Return the hooks of an HTTP client whose requests continue the trace."""
    if not spans.is_on():
        return {}
    return {"request": [_trace if issubclass(kind, httpx.Client) else _trace_async]}


async def _trace_async(request: httpx.Request) -> None:
    _trace(request)


def _trace(request: httpx.Request) -> None:
    request.headers.update(spans.trace_headers())
    current = _span.get()
    current.set(SERVER_ADDRESS, request.url.host)
    current.set(SERVER_PORT, request.url.port or _PORTS.get(request.url.scheme, 0))
