"""Builds the providers that the settings name."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from core.domain.errors import ProviderRejected
from core.providers import local
from core.providers.base import (
    Answerer,
    AsyncAnswerer,
    AsyncEmbedder,
    AsyncReranker,
    Embedder,
    Reranker,
)
from core.providers.clients import open_client
from core.providers.extractive import LocalAnswerer, LocalReranker
from core.providers.local import LocalEmbedder
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class LocalProvider:
    """The local provider, whose blocking stages run on threads."""

    embedder: Embedder
    reranker: Reranker
    answerer: Answerer


@dataclass(frozen=True, slots=True)
class CohereProvider:
    """The provider Cohere, whose awaitable stages run on the event loop.

    `local` embeds for libraries of the local model, and answers when Cohere fails.
    """

    embedder: AsyncEmbedder
    reranker: AsyncReranker
    answerer: AsyncAnswerer
    local: LocalProvider
    http: httpx.AsyncClient

    async def aclose(self) -> None:
        await self.http.aclose()


def embedders(settings: Settings) -> Mapping[str, Embedder]:
    """Return every embedder that these settings allow, by the name of its model."""
    known: list[Embedder] = [LocalEmbedder()]
    key = _cohere_key(settings)
    if key is not None:
        from core.providers.cohere import CohereEmbedder

        known.append(CohereEmbedder(key, settings.cohere_api_url))
    return {embedder.model: embedder for embedder in known}


def default_model(settings: Settings) -> str:
    """Return the model of a library that names none."""
    if _cohere_key(settings) is None:
        return local.MODEL
    from core.providers.cohere import EMBEDDING_MODEL

    return EMBEDDING_MODEL


def stage_providers(settings: Settings) -> LocalProvider | CohereProvider:
    """Return the providers of a question's stages."""
    embedder = LocalEmbedder()
    here = LocalProvider(embedder, LocalReranker(embedder), LocalAnswerer(embedder))
    key = _cohere_key(settings)
    return here if key is None else _cohere_provider(key, settings.cohere_api_url, here)


def _cohere_provider(key: str, url: str | None, here: LocalProvider) -> CohereProvider:
    from core.providers import cohere

    http = open_client(httpx.AsyncClient, url, cohere.TIMEOUT)
    client = cohere.connect(key, url, http)
    return CohereProvider(
        embedder=cohere.AsyncCohereEmbedder(client),
        reranker=cohere.AsyncCohereReranker(client),
        answerer=cohere.AsyncCohereAnswerer(client),
        local=here,
        http=http,
    )


def _cohere_key(settings: Settings) -> str | None:
    """Return Cohere's key, or `None` if Cohere is not the active provider.

    Callers import Cohere's SDK, which takes two seconds, only if there is a key.

    Raises:
        ProviderRejected: Cohere is the active provider, and there is no key.
    """
    if settings.active_provider == "local":
        return None
    key = settings.cohere_api_key.get_secret_value().strip() if settings.cohere_api_key else ""
    if not key:
        raise ProviderRejected("NALANDA_PROVIDER is cohere, and there is no CO_API_KEY.")
    return key
