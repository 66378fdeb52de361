"""The activities of the four stages, on threads or on the event loop as the provider requires."""

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
Provider: TypeAlias = LocalProvider | CohereProvider

API_TIMEOUT_S = 10.0


@asynccontextmanager
async def open_provider(settings: Settings) -> AsyncIterator[Provider]:
    """Open the provider of the stages, with a loaded local model.

    Raises:
        ProviderRejected: the settings have no key for their provider.
    """
    provider = stage_providers(settings)
    if isinstance(provider, CohereProvider):
        async with aclosing(provider):
            await _warm_up(provider.local.embedder)
            yield provider
    else:
        await _warm_up(provider.embedder)
        yield provider


@asynccontextmanager
async def open_activities(
    settings: Settings, provider: Provider, instance_id: str | None
) -> AsyncIterator[Activities]:
    """Yield the activities to register.

    Their clients close with the block, and accept only the API of the instance.
    """
    options = {**client_options(settings), "instance_id": instance_id}
    async with AsyncNalanda(settings.api_url, **options) as client:
        if isinstance(provider, CohereProvider):
            yield async_activities(provider, client)
        else:
            with Nalanda(settings.api_url, **options) as blocking:
                yield blocking_activities(provider, blocking, client)


def client_options(settings: Settings) -> dict[str, Any]:
    """Return the options of the worker's clients.

    The clients never retry: Temporal's policy is the only one.
    """
    return {
        "api_key": settings.api_keys[0].get_secret_value() if settings.api_keys else None,
        "timeout_s": API_TIMEOUT_S,
        "max_retries": 0,
    }


def blocking_activities(
    provider: LocalProvider, blocking: Nalanda, client: AsyncNalanda
) -> Activities:
    return [
        Preprocess(provider.embedder).preprocess,
        Retrieve(client).retrieve,
        Rerank(blocking, provider.reranker).rerank,
        Answer(blocking, provider.answerer).answer,
    ]


def async_activities(provider: CohereProvider, client: AsyncNalanda) -> Activities:
    return [
        AsyncPreprocess(provider.embedder, provider.local.embedder).preprocess,
        Retrieve(client).retrieve,
        AsyncRerank(client, provider.reranker).rerank,
        AsyncAnswer(client, "cohere", provider.answerer, provider.local.answerer).answer,
    ]


async def _warm_up(embedder: Embedder) -> None:
    await asyncio.to_thread(embedder.embed, ["ready"], "query")
