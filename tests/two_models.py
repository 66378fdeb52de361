"""Embedders whose spaces have nothing in common, so that an answer from mixed models shows."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from core.domain.errors import ProviderUnavailable
from core.providers.base import Purpose, Vectors


class SpacedEmbedder:
    """An embedder that hashes the text with its own name: deterministic, of unit norm.

    A text is nearest to itself, with a cosine of 1, by the same model, and far away by another.
    `failing`: returns true while the provider is down. `before`: runs before each call.
    """

    def __init__(self, model: str, dimension: int) -> None:
        self.model = model
        self.dimension = dimension
        self.failing: Callable[[], bool] = lambda: False
        self.before: Callable[[Sequence[str]], None] = lambda _: None

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self.before(texts)
        if self.failing():
            raise ProviderUnavailable(f"{self.model} is down.", retry_after_s=0.1)
        rows = [self.vector(text) for text in texts]
        return np.array(rows, np.float32).reshape(len(texts), self.dimension)

    def vector(self, text: str) -> Vectors:
        digest = hashlib.shake_128(f"{self.model} {text}".encode()).digest(self.dimension)
        row = np.frombuffer(digest, np.uint8).astype(np.float32) - 127.5
        return np.asarray(row / np.linalg.norm(row), np.float32)
