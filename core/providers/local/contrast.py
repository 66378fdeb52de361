"""Cosines with a question that leave out what all candidates have in common.

The candidates of a question are about the same subject, and the mean of token vectors says mostly
that. Without the common direction, the cosine says what sets a candidate apart, in any script
(Arora, Liang & Ma, A Simple but Tough-to-Beat Baseline for Sentence Embeddings, 2017).
"""

import numpy as np

from core.providers.base import Vectors

_TINY = 1e-6


def contrast(question: Vectors, rows: Vectors) -> Vectors:
    """Return the cosine of each row, `(n, d)`, with the question, `(d,)`, without the rows' mean.

    A row of zeros, and a row that is the mean, have 0.
    """
    common = unit(rows.sum(axis=0))
    apart = rows - np.outer(rows @ common, common)
    norms = np.linalg.norm(apart, axis=1)
    cosines: Vectors = apart @ unit(question - (question @ common) * common)
    return np.where(norms > _TINY, cosines / np.maximum(norms, _TINY), 0).astype(np.float32)


def unit(vector: Vectors) -> Vectors:
    """Return the vector with a length of 1; one without a direction as it is."""
    scaled: Vectors = vector / max(float(np.linalg.norm(vector)), _TINY)
    return scaled
