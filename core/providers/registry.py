"""The providers by name, and the models that the settings choose among them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from core.providers.base import (
    AsyncAnswerer,
    AsyncCondenser,
    AsyncEmbedder,
    AsyncReranker,
    Embedder,
    Models,
    ProviderFactory,
)
from core.providers.cohere import CohereFactory
from core.providers.local import LocalFactory
from core.providers.openai import OpenAIFactory
from core.providers.transformer import TransformerFactory
from core.settings import Settings

LOCAL = LocalFactory()
"""The provider that always works: it has all roles, embeds for libraries of its model, and answers
when another fails."""

AUTOMATIC: tuple[ProviderFactory, ...] = (CohereFactory(), LOCAL)
"""The providers of which `auto` takes the first that lacks nothing."""

PROVIDERS: Mapping[str, ProviderFactory] = {
    factory.name: factory for factory in (*AUTOMATIC, OpenAIFactory(), TransformerFactory())
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The providers of each role; the first of `embed` is for libraries that name no model."""

    embed: tuple[ProviderFactory, ...]
    rerank: ProviderFactory
    answer: ProviderFactory
    condense: ProviderFactory

    @property
    def factories(self) -> Mapping[str, ProviderFactory]:
        """Return each provider once, by name."""
        roles = (*self.embed, self.rerank, self.answer, self.condense)
        return {factory.name: factory for factory in roles}


@dataclass(frozen=True, slots=True)
class StageModels:
    """The models of a question's stages.

    `embedders` has them by the name of the model; `extractive` answers if `answerer` fails, and
    `simple_condenser` condenses if `condenser` does.
    """

    embedders: Mapping[str, AsyncEmbedder]
    reranker: AsyncReranker
    answerer: AsyncAnswerer
    extractive: AsyncAnswerer
    condenser: AsyncCondenser
    simple_condenser: AsyncCondenser

    @property
    def description(self) -> str:
        """Return a line about what can be embedded and who answers, for an operator."""
        answers = f"{self.answerer.model} ({self.answerer.provider})"
        return f"Embeds with {', '.join(self.embedders)}; answers with {answers}."


def choose(settings: Settings) -> Roles:
    """Return the providers that the settings name; local embeds for libraries of its model."""
    default: str = settings.provider
    if default == "auto":
        default = next(f.name for f in AUTOMATIC if not f.missing(settings))
    embed = dict.fromkeys((*(settings.embed_provider or (default,)), LOCAL.name))
    return Roles(
        embed=tuple(PROVIDERS[name] for name in embed),
        rerank=PROVIDERS[settings.rerank_provider or default],
        answer=PROVIDERS[settings.answer_provider or default],
        condense=PROVIDERS[settings.condense_provider or settings.answer_provider or default],
    )


def embedders(settings: Settings) -> Mapping[str, Embedder]:
    """Return every embedder that the settings allow, by the name of its model.

    The first is the default, for a library that names no model.

    Raises:
        ProviderRejected: a provider that the settings name can't be used.
    """
    built = (factory.embedder(settings) for factory in choose(settings).embed)
    return {embedder.model: embedder for embedder in built}


@asynccontextmanager
async def open_models(settings: Settings) -> AsyncIterator[StageModels]:
    """Open the models of the stages; their connections close with the block.

    Raises:
        ProviderRejected: a provider that the settings name can't be used.
    """
    roles = choose(settings)
    async with AsyncExitStack() as stack:
        opened = {
            name: await stack.enter_async_context(factory.open_models(settings))
            for name, factory in roles.factories.items()
        }
        yield _assign(roles, opened)


def _assign(roles: Roles, opened: Mapping[str, Models]) -> StageModels:
    local = opened[LOCAL.name]
    assert local.reranker is not None
    assert local.answerer is not None
    assert local.condenser is not None
    embedders = [opened[factory.name].embedder for factory in roles.embed]
    return StageModels(
        embedders={embedder.model: embedder for embedder in embedders},
        reranker=opened[roles.rerank.name].reranker or local.reranker,
        answerer=opened[roles.answer.name].answerer or local.answerer,
        extractive=local.answerer,
        condenser=opened[roles.condense.name].condenser or local.condenser,
        simple_condenser=local.condenser,
    )
