"""Vectors on the wire: lists of numbers, or base64 of little-endian float32."""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias


class FloatArray(Protocol):
    """A one-dimensional array with the buffer protocol, such as numpy's or `array.array`.

    `tolist` is what all of them have for a type checker's eyes on Python 3.11.
    """

    def tolist(self) -> Any: ...


Vector: TypeAlias = Sequence[float] | FloatArray | str
"""Numbers, an array of them, or a string that is packed already."""


def pack(vector: Vector) -> list[float] | str:
    """A vector as JSON can carry it: arrays in base64, which is short and keeps float32 exact.

    Raises:
        ValueError: an array of more than one dimension.
        TypeError: something in it is no number.
    """
    if isinstance(vector, str):
        return vector
    numbers: Any = vector
    try:
        view = memoryview(numbers)
    except TypeError:
        return [float(number) for number in numbers]
    if view.ndim != 1:
        raise ValueError(f"An embedding is one vector, not an array of shape {view.shape}.")
    floats = array("f", view.tobytes() if view.format == "f" else numbers)
    return b64encode(_little_endian(floats)).decode()


def unpack(packed: object) -> object:
    """The floats of a base64 string; anything else as it is, for the model to judge."""
    if not isinstance(packed, str):
        return packed
    return _little_endian(array("f", b64decode(packed, validate=True))).tolist()


def _little_endian(floats: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        floats.byteswap()
    return floats
