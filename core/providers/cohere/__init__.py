"""The provider `cohere`: Cohere's v2 API through its SDK.

The factory's methods import the SDK, which takes two seconds, only where they use it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from core.domain.errors import ProviderRejected
from core.providers.base import Embedder, Models
from core.providers.clients import open_client
from core.settings import Settings


class CohereFactory:
    name = "cohere"
    is_remote = True

    def missing(self, settings: Settings) -> str | None:
        return None if _key(settings) else "The provider cohere needs a key: set CO_API_KEY."

    def embedder(self, settings: Settings) -> Embedder:
        from core.providers.cohere.models import CohereEmbedder

        return CohereEmbedder(self._require_key(settings), settings.cohere_api_url)

    @asynccontextmanager
    async def open_models(self, settings: Settings) -> AsyncIterator[Models]:
        from core.providers.cohere import models

        key, url = self._require_key(settings), settings.cohere_api_url
        async with open_client(httpx.AsyncClient, url, models.TIMEOUT) as http:
            client = models.connect(key, url, http)
            chat = models.AsyncCohereAnswerer(client)
            yield Models(
                models.AsyncCohereEmbedder(client), models.AsyncCohereReranker(client), chat, chat
            )

    def _require_key(self, settings: Settings) -> str:
        if missing := self.missing(settings):
            raise ProviderRejected(missing)
        return _key(settings)


def _key(settings: Settings) -> str:
    key = settings.cohere_api_key
    return key.get_secret_value().strip() if key else ""
