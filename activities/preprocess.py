"""The preprocess stage: normalise the question, and embed it."""

import asyncio
import unicodedata
from base64 import b64encode

from temporalio import activity

from core.contracts.names import PREPROCESS
from core.contracts.query import Base64Vector, PreprocessInput, PreprocessOutput
from core.domain.errors import ProviderRejected
from core.providers.base import AsyncEmbedder, Embedder, Vectors


class Preprocess:
    """The preprocess stage with a computing embedder, on a thread."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    @activity.defn(name=PREPROCESS)
    def preprocess(self, question: PreprocessInput) -> PreprocessOutput:
        query = normalised(question.query)
        if question.embedding_model is None:
            return PreprocessOutput(query=query, embedding=None)
        if question.embedding_model != self._embedder.model:
            raise unknown_model(question.embedding_model, self._embedder.model)
        return PreprocessOutput(
            query=query, embedding=encode_vector(self._embedder.embed([query], "query"))
        )


class AsyncPreprocess:
    """The preprocess stage with a remote embedder; a library of the model `local` uses that, on a
    thread.
    """

    def __init__(self, embedder: AsyncEmbedder, local: Embedder) -> None:
        self._embedder = embedder
        self._local = local

    @activity.defn(name=PREPROCESS)
    async def preprocess(self, question: PreprocessInput) -> PreprocessOutput:
        query = normalised(question.query)
        if question.embedding_model is None:
            return PreprocessOutput(query=query, embedding=None)
        if question.embedding_model == self._local.model:
            vectors = await asyncio.to_thread(self._local.embed, [query], "query")
            return PreprocessOutput(query=query, embedding=encode_vector(vectors))
        if question.embedding_model != self._embedder.model:
            raise unknown_model(question.embedding_model, self._embedder.model, self._local.model)
        vectors, usage = await self._embedder.embed([query], "query")
        return PreprocessOutput(query=query, embedding=encode_vector(vectors), usage=usage)


def normalised(query: str) -> str:
    """Normalise to Unicode NFC, with single spaces as white space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", query).split())


def unknown_model(model: str, *known: str) -> ProviderRejected:
    return ProviderRejected(
        f"This worker cannot embed with {model!r}, only with {' and '.join(known)}."
    )


def encode_vector(vectors: Vectors) -> Base64Vector:
    """Encode the first of `(n, dimension)` vectors for the contracts."""
    return b64encode(vectors[0].astype("<f4").tobytes()).decode("ascii")
