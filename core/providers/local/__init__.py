"""The provider `local`: static token vectors and extractive answers, without key or network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.providers.base import Embedder, Models
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.condensing import LocalCondenser
from core.providers.local.embedder import LocalEmbedder
from core.providers.local.extractive import LocalAnswerer, LocalReranker
from core.providers.threads import ThreadedAnswerer, ThreadedEmbedder, ThreadedReranker
from core.settings import Settings


class LocalFactory:
    name = "local"
    is_remote = False

    def missing(self, settings: Settings) -> str | None:  # noqa: ARG002 - it needs no settings
        return None

    def embedder(self, settings: Settings) -> Embedder:  # noqa: ARG002
        return LocalEmbedder()

    @asynccontextmanager
    async def open_models(self, settings: Settings) -> AsyncIterator[Models]:
        """Yield the models, with their weights loaded."""
        embedder = LocalEmbedder()
        analyzer = PassageAnalyzer(embedder)
        models = Models(
            ThreadedEmbedder(embedder),
            ThreadedReranker(LocalReranker(analyzer)),
            ThreadedAnswerer(LocalAnswerer(analyzer, settings.answer_floor)),
            LocalCondenser(embedder),
        )
        await models.embedder.embed(["ready"], "query")
        yield models
