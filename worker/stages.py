"""The four stages, in the flavour that fits the provider: on threads, or on the event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeAlias

from activities.answer import Answer, AsyncAnswer
from activities.preprocess import AsyncPreprocess, Preprocess
from activities.rerank import AsyncRerank, Rerank
from activities.retrieve import Retrieve
from core.providers.base import Embedder
from core.providers.registry import CohereProvider, LocalProvider, stage_providers
from core.settings import Settings
from nalanda import AsyncNalanda, Nalanda

Activities: TypeAlias = list[Callable[..., Any]]

API_TIMEOUT_S = 10.0


@asynccontextmanager
async def stages(settings: Settings) -> AsyncIterator[Activities]:
    """The activities to register, the local model loaded; their clients live as long as this.

    Raises:
        ProviderRejected: the settings name a provider that they give no key for.
    """
    provider = stage_providers(settings)
    # The clients make no retries of their own: Temporal's policy is the only one.
    options: dict[str, Any] = {
        "api_key": settings.api_keys[0].get_secret_value() if settings.api_keys else None,
        "timeout_s": API_TIMEOUT_S,
        "max_retries": 0,
    }
    async with AsyncNalanda(settings.api_url, **options) as client:
        if isinstance(provider, CohereProvider):
            async with aclosing(provider):
                await _load(provider.local.embedder)
                yield awaited(provider, client)
        else:
            with Nalanda(settings.api_url, **options) as blocking:
                await _load(provider.embedder)
                yield computed(provider, blocking, client)


def computed(provider: LocalProvider, blocking: Nalanda, client: AsyncNalanda) -> Activities:
    return [
        Preprocess(provider.embedder).preprocess,
        Retrieve(client).retrieve,
        Rerank(blocking, provider.reranker).rerank,
        Answer(blocking, provider.answerer).answer,
    ]


def awaited(provider: CohereProvider, client: AsyncNalanda) -> Activities:
    return [
        AsyncPreprocess(provider.embedder, provider.local.embedder).preprocess,
        Retrieve(client).retrieve,
        AsyncRerank(client, provider.reranker).rerank,
        AsyncAnswer(client, "cohere", provider.answerer, provider.local.answerer).answer,
    ]


async def _load(embedder: Embedder) -> None:
    await asyncio.to_thread(embedder.embed, ["ready"], "query")
