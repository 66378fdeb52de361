"""Embedding by an OpenAI-compatible server, blocking and awaitable."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import numpy as np
from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse

from core.contracts.budget import Usage
from core.domain.batches import batches
from core.providers.base import Purpose, Vectors
from core.providers.calls import provider_call
from core.providers.clients import open_client
from core.providers.metering import begin_call
from core.providers.openai.client import TIMEOUT, connect
from core.providers.openai.config import PROVIDER, EmbedOptions, Server
from core.providers.openai.errors import openai_errors
from core.providers.service import Service

TEXTS_PER_CALL = 32
"""The most that every server takes: text-embeddings-inference refuses more by default."""


NO_OPTIONS = EmbedOptions()


class OpenAIEmbedder:
    """The embedder's blocking form, for the API's threads."""

    def __init__(
        self,
        server: Server,
        options: EmbedOptions = NO_OPTIONS,
        *,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        http = open_client(httpx.Client, server.url, timeout)
        self._client = connect(server, http)
        # The embedder lives as long as its process, so it has no `close`.
        weakref.finalize(self, http.close)
        self._server = server
        self._options = options
        self._dimension = options.dimension
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        return self._server.model

    @property
    def dimension(self) -> int:
        """Return the dimension: the one that is set, else that of the vector of one word.

        Raises:
            ProviderError: the dimension is not set, and the server fails.
        """
        with self._lock:
            if self._dimension is None:
                self._dimension = self.embed(["dimension"], "document").shape[1]
            return self._dimension

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        rows = []
        for call in _calls(self._server, self._options, texts, purpose):
            with (
                provider_call("embeddings", PROVIDER, self.model) as made,
                openai_errors(self._server.service),
            ):
                response = self._client.embeddings.create(**call)
                made.report(_usage(response))
                rows.append(read_vectors(self._server.service, response, len(call["input"])))
        return _join(rows, self._dimension)


class AsyncOpenAIEmbedder:
    """The embedder's awaitable form, for the worker's event loop."""

    def __init__(
        self, client: AsyncOpenAI, server: Server, options: EmbedOptions = NO_OPTIONS
    ) -> None:
        self._client = client
        self._server = server
        self._options = options

    @property
    def model(self) -> str:
        return self._server.model

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> tuple[Vectors, Usage]:
        rows, usage = [], Usage()
        for call in _calls(self._server, self._options, texts, purpose):
            with (
                provider_call("embeddings", PROVIDER, self.model) as made,
                openai_errors(self._server.service),
            ):
                begin_call(call["input"])
                response = await self._client.embeddings.create(**call)
                made.report(_usage(response))
                rows.append(read_vectors(self._server.service, response, len(call["input"])))
                usage += _usage(response)
        return _join(rows, self._options.dimension), usage


def _calls(
    server: Server, options: EmbedOptions, texts: Sequence[str], purpose: Purpose
) -> Iterator[dict[str, Any]]:
    """Yield the arguments of each call."""
    prefix = options.query_prefix if purpose == "query" else options.document_prefix
    parameters = {} if options.dimension is None else {"dimensions": options.dimension}
    for inputs in batches((prefix + text for text in texts), TEXTS_PER_CALL):
        # Not base64, the SDK's default, which some servers do not know.
        yield {"model": server.model, "input": inputs, "encoding_format": "float", **parameters}


def read_vectors(service: Service, response: CreateEmbeddingResponse, count: int) -> Vectors:
    """Return the vectors in the order of the texts, `(count, d) float32`.

    Raises:
        ProviderUnavailable: the vectors are too few, too many, of several dimensions or not finite.
    """
    ordered = sorted(response.data, key=lambda row: row.index)
    rows = np.array([row.embedding for row in ordered], dtype=np.float32)
    if [row.index for row in ordered] != list(range(count)) or rows.ndim != 2 or not rows.size:
        raise service.malformed_answer(f"{count} vectors were due, not an array {rows.shape}")
    if not np.isfinite(rows).all():
        raise service.malformed_answer("a vector has numbers that are not finite")
    return rows


def _join(rows: Sequence[Vectors], dimension: int | None) -> Vectors:
    return np.concatenate(rows) if rows else np.empty((0, dimension or 0), dtype=np.float32)


def _usage(response: CreateEmbeddingResponse) -> Usage:
    counted = getattr(response, "usage", None)  # some servers count nothing
    return Usage(input_tokens=int(counted.prompt_tokens or 0) if counted else 0)
