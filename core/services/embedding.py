"""A library's dimension and embedding model, and the embedding of texts.

The first vector settles both. A library that names no model gets the server's default if its
first chunk has no embedding. Otherwise the library stays without a model for good.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from core.domain import vectors
from core.domain.batches import batches
from core.domain.document import ChunkDraft, Embedding
from core.domain.errors import Fault, Invalid, ProviderRejected
from core.domain.library import Library, LibraryDraft
from core.domain.place import indexed_text
from core.domain.pointers import join
from core.providers.base import Embedder, Vectors
from core.services.shared_calls import SharedCalls

T = TypeVar("T")

BATCH_TEXTS = 256
"""The number of texts in one call of a provider, which bounds the provider's memory."""


class TextEmbedding:
    def __init__(self, embedders: Mapping[str, Embedder], default_model: str) -> None:
        self._embedders = embedders
        self._calls = {model: SharedCalls(each) for model, each in embedders.items()}
        self._default_model = default_model

    def check_library(self, draft: LibraryDraft) -> None:
        """Check the dimension and the model of a library's draft.

        Raises:
            Invalid: the dimension is out of range, the server does not have the model, or the
                model has another dimension.
        """
        if draft.dimension is not None and not 1 <= draft.dimension <= vectors.MAX_DIMENSION:
            detail = f"A dimension is 1 to {vectors.MAX_DIMENSION}."
            raise Invalid.at("/dimension", detail)
        if draft.embedding_model is None:
            return
        embedder = self._embedders.get(draft.embedding_model)
        if embedder is None:
            raise Invalid.at("/embedding_model", self._unknown(draft.embedding_model))
        if draft.dimension not in {None, embedder.dimension}:
            detail = f"The model {embedder.model} makes vectors of {embedder.dimension} numbers."
            raise Invalid.at("/dimension", detail)

    def with_model(self, library: Library, model: str) -> Library:
        """Return the library as it is with another model of this server.

        Raises:
            Invalid: the server does not have the model.
        """
        embedder = self._embedders.get(model)
        if embedder is None:
            raise Invalid.at("/model", self._unknown(model))
        return replace(library, embedding_model=model, dimension=embedder.dimension)

    def settle(self, library: Library, has_vectors: bool, first: ChunkDraft) -> Library:
        """Return the library with its dimension and model after the write of `first`."""
        model = library.embedding_model
        if model is None and not has_vectors and first.embedding is None:
            model = self._default_model
        dimension = library.dimension
        if dimension is None and model is not None:
            dimension = _find(self._embedders, model).dimension
        if dimension is None and first.embedding is not None:
            dimension = len(first.embedding)
        return replace(library, embedding_model=model, dimension=dimension)

    def faults(self, library: Library, draft: ChunkDraft, pointer: str) -> Sequence[Fault]:
        """Return the faults of a draft's embedding or text in a settled library."""
        at = join(pointer, "embedding")
        if draft.embedding is not None:
            return _faults_of_vector(library, draft.embedding, at)
        if library.embedding_model is None:
            return [Fault(at, "This library has no model: its vectors are the client's own.")]
        embedder = _find(self._embedders, library.embedding_model)
        if library.dimension != embedder.dimension:
            detail = f"{embedder.model} makes {embedder.dimension} numbers, not the library's"
            return [Fault(at, f"{detail} {library.dimension}: give the embedding.")]
        if not draft.text.strip():
            return [Fault(join(pointer, "text"), "There is nothing to embed in this text.")]
        return []

    def embeddings(self, library: Library, drafts: Sequence[ChunkDraft]) -> list[Embedding]:
        """Return the drafts' embeddings; compute the missing ones.

        A text is embedded with the context of its place.

        Raises:
            ProviderError: the provider failed, or its embeddings break the library's rules.
        """
        texts = [indexed_text(d.text, d.place) for d in drafts if d.embedding is None]
        embedded = self._embed(library, texts)
        return [next(embedded) if d.embedding is None else d.embedding for d in drafts]

    def queries(self, model: str, texts: Sequence[str]) -> Vectors:
        """Embed the texts as queries, `(n, d) float32`.

        Raises:
            ProviderError: the provider failed.
        """
        embedder = _find(self._embedders, model)
        embedded = [embedder.embed(batch, "query") for batch in batches(texts, BATCH_TEXTS)]
        return np.concatenate([np.empty((0, embedder.dimension), np.float32), *embedded])

    def _unknown(self, model: str) -> str:
        return f"This server has no model {model!r}; it has {', '.join(sorted(self._embedders))}."

    def _embed(self, library: Library, texts: Sequence[str]) -> Iterator[Embedding]:
        for batch in batches(texts, BATCH_TEXTS):
            rows = _find(self._calls, library.embedding_model).embed(batch)
            faults = [f for row in rows for f in _faults_of_vector(library, row, "")]
            if faults or len(rows) != len(batch):
                raise ProviderRejected(f"{library.embedding_model} returned invalid embeddings.")
            yield from rows


def _find(models: Mapping[str, T], model: str | None) -> T:
    """Return the value of a library's model.

    Raises:
        ProviderRejected: the server does not have the model.
    """
    found = models.get(model or "")
    if found is None:
        raise ProviderRejected(f"This server has no model {model!r}, which the library needs.")
    return found


def _faults_of_vector(library: Library, embedding: Embedding, pointer: str) -> Sequence[Fault]:
    try:
        vectors.check(
            embedding, dimension=library.dimension, metric=library.metric, pointer=pointer
        )
    except Invalid as error:
        return error.faults
    return []
