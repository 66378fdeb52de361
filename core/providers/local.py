"""Embedding on this machine: wordllama, 16 MB of static token vectors, no key and no network."""

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

# What a text without a single token gets (the empty one). Its mean would be the zero vector,
# which has no direction: cosine could neither store it nor compare with it.
_NOWHERE = np.full(DIMENSION, 1 / np.sqrt(DIMENSION), dtype=np.float32)

# Tokens whose vectors are copied out at once: 4 MB, however long the text.
_GATHERED = 4096


@dataclass(frozen=True, slots=True)
class _Weights:
    tokenizer: Any
    vectors: Vectors


class LocalEmbedder:
    """`wordllama-256`: the mean of a text's token vectors, `(n, 256) float32`, unit norm.

    A text's vector does not depend on its neighbours in a call, nor on the purpose. Safe to
    share between threads; the first call loads the weights (about a second).
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
        """Raises `ProviderRejected` for a text that is not valid Unicode."""
        rows = np.empty((len(texts), DIMENSION), dtype=np.float32)
        if not texts:
            return rows
        weights = self._loaded()
        try:
            encodings = weights.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        except TypeError:
            raise ProviderRejected("A text to embed is not valid Unicode.") from None
        for row, encoding in zip(rows, encodings, strict=True):
            _add_up(encoding.ids, weights.vectors, row)
        return _units(rows)

    def _loaded(self) -> _Weights:
        if self._weights is None:
            with self._lock:
                if self._weights is None:
                    self._weights = _load()
        return self._weights


def _add_up(ids: list[int], vectors: Vectors, total: Vectors) -> None:
    total[:] = 0
    for start in range(0, len(ids), _GATHERED):
        total += vectors.take(ids[start : start + _GATHERED], axis=0).sum(axis=0)


def _units(rows: Vectors) -> Vectors:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(norms > 0, rows / np.maximum(norms, np.finfo(np.float32).tiny), _NOWHERE)


def _load() -> _Weights:
    with _root_logger_kept():
        # Here, because it takes half a second that most commands have no use for.
        import wordllama
    package = Path(wordllama.__file__).parent
    model = wordllama.WordLlama.load(cache_dir=package, disable_download=True)
    # Padding makes a batch as wide as its longest text; the pooling here needs none.
    model.tokenizer.no_padding()
    return _Weights(model.tokenizer, model.embedding)


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Importing wordllama calls `logging.basicConfig`, which is the process's to call."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
