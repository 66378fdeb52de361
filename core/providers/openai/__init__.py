"""The provider `openai`: any server with OpenAI's API, through the official SDK.

The factory's methods import the SDK, which takes seconds, only where they use it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.domain.errors import ProviderRejected
from core.providers.base import Embedder, Models
from core.providers.openai.config import (
    answer_server,
    embed_options,
    embed_server,
    key_of,
    rerank_server,
)
from core.settings import Settings


class OpenAIFactory:
    name = "openai"
    is_remote = True

    def missing(self, settings: Settings) -> str | None:
        if settings.openai_base_url or key_of(settings):
            return None
        return (
            "The provider openai needs a key or a server of your own: set OPENAI_API_KEY or "
            "NALANDA_OPENAI_BASE_URL."
        )

    def embedder(self, settings: Settings) -> Embedder:
        from core.providers.openai.embedder import OpenAIEmbedder

        self._require(settings)
        return OpenAIEmbedder(embed_server(settings), embed_options(settings))

    @asynccontextmanager
    async def open_models(self, settings: Settings) -> AsyncIterator[Models]:
        from core.providers.openai.answerer import AsyncOpenAIAnswerer
        from core.providers.openai.client import ANSWER_TIMEOUT, open_server
        from core.providers.openai.embedder import AsyncOpenAIEmbedder
        from core.providers.openai.reranker import AsyncOpenAIReranker

        self._require(settings)
        embeds, answers = embed_server(settings), answer_server(settings)
        reranks = rerank_server(settings)
        async with (
            open_server(embeds) as embed_client,
            open_server(answers, ANSWER_TIMEOUT) as answer_client,
            open_server(reranks or answers) as rerank_client,
        ):
            chat = AsyncOpenAIAnswerer(answer_client, answers)
            yield Models(
                AsyncOpenAIEmbedder(embed_client, embeds, embed_options(settings)),
                AsyncOpenAIReranker(rerank_client, reranks) if reranks else None,
                chat,
                chat,
            )

    def _require(self, settings: Settings) -> None:
        if missing := self.missing(settings):
            raise ProviderRejected(missing)
