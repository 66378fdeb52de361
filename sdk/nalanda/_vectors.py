"""Vectors on the wire, and the types that callers pass; `_packing` converts the latter."""

import sys
from array import array
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

N = TypeVar("N", int, float)


class FloatArray(Protocol):
    """A one-dimensional array, such as numpy's, PyTorch's or `array.array`."""

    def tolist(self) -> Any: ...


Vector: TypeAlias = Sequence[float] | FloatArray | str
"""Numbers, an array of numbers, or an already packed string."""


def unpack(packed: object) -> object:
    """Return the floats of a base64 string; leave other values for the model to validate."""
    if not isinstance(packed, str):
        return packed
    return little_endian(array("f", b64decode(packed, validate=True))).tolist()


def little_endian(numbers: "array[N]") -> "array[N]":
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
