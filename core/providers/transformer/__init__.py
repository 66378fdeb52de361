"""The provider `transformer`: sentence-transformers and cross-encoders on onnxruntime, no torch.

The factory's methods import the packages of the extra only where they use them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

from core.domain.errors import ProviderRejected
from core.providers.base import Embedder, Models, Reranker
from core.providers.threads import ThreadedEmbedder, ThreadedReranker
from core.settings import Settings

_PACKAGES = ("huggingface_hub", "onnx", "onnxruntime", "safetensors", "tokenizers")


class TransformerFactory:
    name = "transformer"
    is_remote = False

    def missing(self, settings: Settings) -> str | None:  # noqa: ARG002 - its models have defaults
        if all(find_spec(package) for package in _PACKAGES):
            return None
        return "The provider transformer needs an extra: pip install 'nalanda[transformer]'."

    def embedder(self, settings: Settings) -> Embedder:
        self._require(settings)
        from core.providers.transformer.models import LazySession, TransformerEmbedder

        session = LazySession(
            settings.transformer_embed_model, quantized=settings.transformer_quantized
        )
        return TransformerEmbedder(session)

    @asynccontextmanager
    async def open_models(self, settings: Settings) -> AsyncIterator[Models]:
        """Yield the models, loaded."""
        embedder = self.embedder(settings)
        await asyncio.to_thread(embedder.embed, ["ready"], "query")
        reranker = self._reranker(settings)
        if reranker is not None:
            await asyncio.to_thread(reranker.rerank, "ready", [], 1)
        yield Models(
            ThreadedEmbedder(embedder), ThreadedReranker(reranker) if reranker else None, None
        )

    def _reranker(self, settings: Settings) -> Reranker | None:
        """Return the cross-encoder, if the settings name one.

        Without one reranking is left to `local`: to embed the sentences of all candidates takes a
        transformer a second or more for each question.
        """
        from core.providers.transformer.models import LazySession, TransformerReranker

        model = settings.transformer_rerank_model
        if model is None:
            return None
        return TransformerReranker(LazySession(model, quantized=settings.transformer_quantized))

    def _require(self, settings: Settings) -> None:
        if missing := self.missing(settings):
            raise ProviderRejected(missing)
