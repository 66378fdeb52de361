"""The providers by name, and the models that the settings choose among them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from core.providers.base import (
    AsyncAnswerer,
    AsyncEmbedder,
    AsyncReranker,
    Embedder,
    ProviderFactory,
)
from core.providers.cohere.factory import CohereFactory
from core.providers.local.factory import LocalFactory
from core.settings import Settings

LOCAL = LocalFactory()
"""The provider that always works: it embeds for libraries of its model, and answers when another
fails."""

AUTOMATIC: tuple[ProviderFactory, ...] = (CohereFactory(), LOCAL)
"""The providers of which `auto` takes the first that lacks nothing."""

PROVIDERS: Mapping[str, ProviderFactory] = {factory.name: factory for factory in AUTOMATIC}


@dataclass(frozen=True, slots=True)
class StageModels:
    """The models of a question's stages.

    `embedders` has them by the name of the model; `extractive` answers if `answerer` fails.
    """

    embedders: Mapping[str, AsyncEmbedder]
    reranker: AsyncReranker
    answerer: AsyncAnswerer
    extractive: AsyncAnswerer


def choose(settings: Settings) -> ProviderFactory:
    """Return the provider that the settings name."""
    if settings.provider != "auto":
        return PROVIDERS[settings.provider]
    return next(factory for factory in AUTOMATIC if not factory.missing(settings))


def embedders(settings: Settings) -> Mapping[str, Embedder]:
    """Return every embedder that the settings allow, by the name of its model.

    The first is the default, for a library that names no model.

    Raises:
        ProviderRejected: the provider that the settings name can't be used.
    """
    built = (factory.embedder(settings) for factory in _used(settings))
    return {embedder.model: embedder for embedder in built}


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[StageModels]:
    """Open the models of the stages; their connections close with the block.

    Raises:
        ProviderRejected: the provider that the settings name can't be used.
    """
    async with AsyncExitStack() as stack:
        opened = {
            factory.name: await stack.enter_async_context(factory.open_models(settings))
            for factory in _used(settings)
        }
        chosen = opened[choose(settings).name]
        yield StageModels(
            embedders={models.embedder.model: models.embedder for models in opened.values()},
            reranker=chosen.reranker,
            answerer=chosen.answerer,
            extractive=opened[LOCAL.name].answerer,
        )


def _used(settings: Settings) -> Iterable[ProviderFactory]:
    """Return the chosen provider and the local one, each once."""
    return dict.fromkeys((choose(settings), LOCAL))
