"""Parses and checks the embeddings of requests: JSON numbers or base64."""

import base64
import binascii
from collections.abc import Sequence

import numpy as np

from core.domain.document import Embedding
from core.domain.errors import Invalid
from core.domain.library import Metric
from core.domain.pointers import join

MAX_DIMENSION = 16_384
MIN_NORM, MAX_NORM = 1e-15, 1e15
"""The range of the lengths (L2 norms) of embeddings.

Within it squares, products and quantisation steps stay far from the limits of float32. No real
embedding is outside it.
"""

_FLOAT32_MAX = float(np.finfo(np.float32).max)
_ROUNDING = 1e-6
"""The relative tolerance at both ends of the range, for float32's rounding."""
_NOT_FINITE = "An embedding's numbers are finite, and within the range of float32."


def from_numbers(values: Sequence[object], pointer: str) -> Embedding:
    """Return JSON numbers as `(n,) float32`, each rounded to the nearest.

    Raises:
        Invalid: there are no numbers or too many, or one is no number or too large for float32.
    """
    _check_length(len(values), pointer)
    # One pass in C finds whether any value is wrong; only then is the first such value looked for.
    if not set(map(type, values)) <= {int, float}:
        at = next(i for i, value in enumerate(values) if type(value) not in {int, float})
        raise Invalid.at(join(pointer, at), "An embedding's elements must be numbers.")
    try:
        with np.errstate(over="ignore"):
            embedding = np.array(values, dtype=np.float64).astype(np.float32)
    except OverflowError as error:  # an integer beyond even float64
        at = next(i for i, v in enumerate(values) if isinstance(v, int) and abs(v) > _FLOAT32_MAX)
        raise Invalid.at(join(pointer, at), _NOT_FINITE) from error
    finite = np.isfinite(embedding)
    if not finite.all():
        raise Invalid.at(join(pointer, int(np.argmin(finite))), _NOT_FINITE)
    return embedding


def decode_base64(text: str, pointer: str) -> Embedding:
    """Decode base64 (RFC 4648 §4) of little-endian float32 to `(n,) float32`.

    Raises:
        Invalid: the text is not base64 of whole float32 numbers, there are no numbers or too
            many, or one is not finite.
    """
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid.at(pointer, "This is not base64 of little-endian float32.") from error
    if len(packed) % 4:
        raise Invalid.at(pointer, f"{len(packed)} bytes are not whole float32 numbers.")
    _check_length(len(packed) // 4, pointer)
    embedding = np.frombuffer(packed, dtype="<f4").astype(np.float32)
    _check_finite(embedding, pointer)
    return embedding


def check(embedding: Embedding, *, dimension: int | None, metric: Metric, pointer: str) -> None:
    """Check an embedding against a library; `dimension` is `None` where none is settled.

    Raises:
        Invalid: the embedding has another dimension, a number that is not finite, or a length
            out of range. Under cosine a zero vector is invalid, because it has no direction.
    """
    _check_length(len(embedding), pointer)
    if dimension is not None and len(embedding) != dimension:
        detail = f"The library's dimension is {dimension}; this embedding has {len(embedding)}."
        raise Invalid.at(pointer, detail)
    # One product, in a microsecond, accepts nearly every vector; `np.vdot` gives no overflow
    # warning.
    if 10 * MIN_NORM**2 < np.vdot(embedding, embedding) < MAX_NORM**2 / 10:
        return
    _check_finite(embedding, pointer)
    length = float(np.linalg.norm(embedding.astype(np.float64)))
    if length == 0:
        if metric.ignores_length:
            raise Invalid.at(
                pointer, f"A zero vector has no direction, so {metric} can't compare it."
            )
    elif not MIN_NORM * (1 - _ROUNDING) <= length <= MAX_NORM * (1 + _ROUNDING):
        raise Invalid.at(pointer, _out_of_range(length, metric))


def _out_of_range(length: float, metric: Metric) -> str:
    zero = "" if metric.ignores_length else "0 or "
    return (
        f"The length (L2 norm) of an embedding is {zero}from {MIN_NORM:g} to {MAX_NORM:g};"
        f" that of this one is {length:.3g}. Scale the embeddings."
    )


def _check_length(length: int, pointer: str) -> None:
    if not 1 <= length <= MAX_DIMENSION:
        raise Invalid.at(
            pointer, f"An embedding must have 1 to {MAX_DIMENSION} numbers, not {length}."
        )


def _check_finite(embedding: Embedding, pointer: str) -> None:
    if not np.isfinite(embedding).all():
        raise Invalid.at(pointer, _NOT_FINITE)
