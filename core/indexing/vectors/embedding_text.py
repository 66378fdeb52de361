"""Embeddings in the JSON text of a request, read by kernels."""

import numpy as np

from core.domain.document import Embedding
from core.indexing.kernels.embeddings import read_base64, read_numbers

_NUMBER_BYTES = 4


def numbers_in(text: bytes, start: int, end: int) -> Embedding | None:
    """Return the numbers of the list whose inside is `text[start:end]`, `(n,) float32`.

    `None` if the text is not such a list, or if not all of its numbers are sure to be rounded to
    the nearest.
    """
    if end <= start:
        return None
    numbers = np.empty((end - start) // 2 + 1, np.float32)
    count = read_numbers(np.frombuffer(text, np.uint8, end - start, start), numbers)
    return numbers[:count].copy() if count > 0 else None


def base64_in(text: bytes, start: int, end: int) -> Embedding | None:
    """Return the little-endian float32 in the base64 `text[start:end]`; `None` if it is none."""
    if end <= start:
        return None
    decoded = np.empty((end - start) // 4 * 3, np.uint8)
    size = read_base64(np.frombuffer(text, np.uint8, end - start, start), decoded)
    if size <= 0 or size % _NUMBER_BYTES:
        return None
    return decoded[:size].view("<f4").astype(np.float32)
