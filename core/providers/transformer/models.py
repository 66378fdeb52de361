"""Embedding by a sentence-transformer, and reranking by a cross-encoder."""

import threading
from collections.abc import Sequence

import numpy as np

from core.providers.base import Passage, Purpose, Reranking, ScoredPassage, Vectors
from core.providers.transformer.folder import find
from core.providers.transformer.session import Arrays, EncoderSession

_TINY = 1e-12


class LazySession:
    """A model that is found and loaded at its first use, once."""

    def __init__(self, model: str, *, quantized: bool) -> None:
        self._model = model
        self._quantized = quantized
        self._lock = threading.Lock()
        self._session: EncoderSession | None = None

    @property
    def name(self) -> str:
        """Return the last part of the folder or repository."""
        return self._model.rstrip("/").rpartition("/")[2]

    def get(self) -> EncoderSession:
        """Return the loaded model.

        Raises:
            ProviderError: the model is not there, or can't be loaded.
        """
        with self._lock:
            if self._session is None:
                self._session = EncoderSession(find(self._model), quantized=self._quantized)
            return self._session


class TransformerEmbedder:
    """A sentence-transformer: `(n, dimension) float32`, unit norm."""

    def __init__(self, session: LazySession) -> None:
        self._session = session

    @property
    def model(self) -> str:
        return self._session.name

    @property
    def dimension(self) -> int:
        return int(self._session.get().folder.config["hidden_size"])

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        session = self._session.get()
        prompt = session.folder.prompts.get(purpose, "")
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch, output, mask in session.run([prompt + text for text in texts]):
            rows[batch] = _pool(output, mask, first_token=session.folder.pools_first_token)
        return rows


class TransformerReranker:
    """A cross-encoder, which reads the question and a passage together."""

    def __init__(self, session: LazySession) -> None:
        self._session = session

    def rerank(self, query: str, passages: Sequence[Passage], top_n: int) -> Reranking:
        scores = np.empty(len(passages))
        pairs = [(query, passage.text_in_context) for passage in passages]
        for batch, output, _ in self._session.get().run(pairs):
            scores[batch] = output.reshape(len(batch), -1)[:, -1]
        order = np.argsort(-scores, kind="stable")[:top_n].tolist()
        return Reranking(tuple(ScoredPassage(index, float(scores[index])) for index in order))


def _pool(output: Arrays, mask: Arrays, *, first_token: bool) -> Vectors:
    """Return unit vectors from `(b, n, h)` states of tokens, or `(b, h)` of whole texts."""
    if output.ndim == 2:
        vectors = output
    elif first_token:
        vectors = output[:, 0]
    else:
        vectors = (output * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, _TINY), dtype=np.float32)
