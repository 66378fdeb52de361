"""The preprocess stage: normalise the question, and embed it."""

import unicodedata
from base64 import b64encode
from collections.abc import Mapping

from temporalio import activity

from core.contracts.query import Base64Vector, PreprocessInput, PreprocessOutput, Stage
from core.domain.errors import ProviderRejected
from core.providers.base import AsyncEmbedder, Vectors


class Preprocess:
    """The preprocess stage; `embedders` has the models of this worker by name."""

    def __init__(self, embedders: Mapping[str, AsyncEmbedder]) -> None:
        self._embedders = embedders

    @activity.defn(name=Stage.PREPROCESS)
    async def preprocess(self, question: PreprocessInput) -> PreprocessOutput:
        query = normalise(question.query)
        if question.embedding_model is None:
            return PreprocessOutput(query=query, embedding=None)
        embedder = self._embedder(question.embedding_model)
        vectors, usage = await embedder.embed([query], "query")
        return PreprocessOutput(query=query, embedding=encode_vector(vectors), usage=usage)

    def _embedder(self, model: str) -> AsyncEmbedder:
        embedder = self._embedders.get(model)
        if embedder is None:
            known = " and ".join(self._embedders)
            raise ProviderRejected(f"This worker cannot embed with {model!r}, only with {known}.")
        return embedder


def normalise(query: str) -> str:
    """Normalise to Unicode NFC, with single spaces as white space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", query).split())


def encode_vector(vectors: Vectors) -> Base64Vector:
    """Encode the first of `(n, dimension)` vectors for the contracts."""
    return b64encode(vectors[0].astype("<f4").tobytes()).decode("ascii")
