"""The local embedder: wordllama, 16 MB of static token vectors, no key and no network."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.domain.errors import ProviderRejected
from core.providers.base import Purpose, Vectors

MODEL = "wordllama-256"
DIMENSION = 256

# The vector of a text without tokens. The mean of no tokens would be the zero vector, which has
# no direction, so a cosine library could neither store it nor search for it.
_NO_TOKENS_VECTOR = np.full(DIMENSION, 1 / np.sqrt(DIMENSION), dtype=np.float32)

# Tokens per step of the sum: their vectors take 4 MB, however long the text.
_TOKENS_PER_STEP = 4096


@dataclass(frozen=True, slots=True)
class _Weights:
    tokenizer: Any
    vectors: Vectors


class LocalEmbedder:
    """The model `wordllama-256`: the mean of a text's token vectors, `(n, 256) float32`, unit norm.

    A text's vector does not depend on the other texts of a call, nor on the purpose. Threads may
    share an embedder. The first call loads the weights, which takes about a second.
    """

    model = MODEL
    dimension = DIMENSION

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._weights: _Weights | None = None

    def embed(
        self,
        texts: Sequence[str],
        purpose: Purpose,  # noqa: ARG002 - the protocol's; static vectors know no purpose
    ) -> Vectors:
        """Embed the texts.

        Raises:
            ProviderRejected: a text is not valid Unicode.
        """
        rows = np.empty((len(texts), DIMENSION), dtype=np.float32)
        if not texts:
            return rows
        weights = self._get_weights()
        try:
            encodings = weights.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except TypeError:
            raise ProviderRejected("A text to embed is not valid Unicode.") from None
        for row, encoding in zip(rows, encodings, strict=True):
            _add_up(encoding.ids, weights.vectors, row)
        return _units(rows)

    def _get_weights(self) -> _Weights:
        if self._weights is None:
            with self._lock:
                if self._weights is None:
                    self._weights = _load()
        return self._weights


def _add_up(ids: list[int], vectors: Vectors, total: Vectors) -> None:
    total[:] = 0
    for start in range(0, len(ids), _TOKENS_PER_STEP):
        total += vectors.take(ids[start : start + _TOKENS_PER_STEP], axis=0).sum(axis=0)


def _units(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(
        norms > 0, rows / np.maximum(norms, np.finfo(np.float32).tiny), _NO_TOKENS_VECTOR
    )


def _load() -> _Weights:
    with _preserve_root_logger():
        # Imported late: it takes half a second, and most commands do not embed.
        import wordllama
    package = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(cache_dir=package, disable_download=True)
    # Padding widens all texts of a batch to the longest; the sum here needs none.
    model.tokenizer.no_padding()
    return _Weights(model.tokenizer, model.embedding)


@contextmanager
def _preserve_root_logger() -> Iterator[None]:
    """Restore the root logger after the import of wordllama, which calls `basicConfig`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
