"""Conversion of a caller's vector for the wire: arrays become base64, sequences lists of floats."""

from array import array
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence, Set
from math import isfinite
from numbers import Real
from typing import Any

from nalanda._arrays import is_array, items_of, kind_of
from nalanda._errors import InvalidType, InvalidValue, KeyPath, type_name
from nalanda._vectors import Vector, little_endian

_NUMBERS = {int, float}
_BYTES = "is bytes; pass an array, a list of numbers, or base64 of little-endian float32."


def pack(vector: Vector, place: KeyPath = ("embedding",)) -> list[float] | str:
    """Convert a vector for JSON: an array to base64, which preserves float32 exactly.

    Raises:
        InvalidValue: an array of more than one dimension, or a number that is not finite.
        InvalidType: not a vector, or an element that is not a number.
    """
    if isinstance(vector, str):
        return vector
    numbers: Any = vector
    if isinstance(numbers, bytes | bytearray):
        raise InvalidType(place, _BYTES)
    floats = _float32_buffer(numbers, place)
    if floats is None:
        return _list_floats(numbers, place)
    if not isfinite(sum(floats)):
        _check_finite(floats, place)
    return b64encode(little_endian(floats)).decode()


def _float32_buffer(vector: Any, place: KeyPath) -> "array[float] | None":
    """Return an array's numbers as float32, or `None` for another type."""
    try:
        view = memoryview(vector)
    except (TypeError, ValueError, BufferError):
        return _convert(vector, place) if is_array(vector) else None
    if isinstance(vector, memoryview) and view.format == "B":
        raise InvalidType(place, _BYTES)
    _check_shape(view.shape or (), place)
    return array("f", view.tobytes()) if view.format == "f" else _convert(vector, place)


def _convert(vector: Any, place: KeyPath) -> "array[float]":
    """Return the numbers of an array without a float32 buffer, such as one of PyTorch's."""
    try:
        items = items_of(vector) if is_array(vector) else list(vector)
    except Exception as error:  # foreign code may raise any error
        detail = f"is a {type_name(vector)} that can't be read: {error}"
        raise InvalidValue(place, detail) from error
    shape = getattr(vector, "shape", None)
    if shape is not None:
        _check_shape(tuple(shape), place)
    if not isinstance(items, Sequence):
        raise InvalidType(place, f"is a {type_name(vector)}, not a vector.")
    return array("f", _list_floats(items, place))


def _list_floats(numbers: Any, place: KeyPath) -> list[float]:
    """Return the numbers of a sequence as Python floats."""
    if not isinstance(numbers, Iterable) or isinstance(numbers, Mapping | Set):
        raise InvalidType(place, f"is of the type {type_name(numbers)}, not a vector.")
    listed = list(numbers)
    if not set(map(type, listed)) <= _NUMBERS:
        listed = [_number(number, (*place, index)) for index, number in enumerate(listed)]
    try:
        floats = list(map(float, listed))
    except OverflowError:
        raise InvalidValue(place, "has an integer that is too large for a float.") from None
    if not isfinite(sum(floats)):
        _check_finite(floats, place)
    return floats


def _number(value: Any, place: KeyPath) -> float:
    """Return a number as a float; booleans and texts are not numbers, as on the wire."""
    is_real = isinstance(value, Real) or hasattr(value, "__float__")
    is_scalar = tuple(getattr(value, "shape", ())) == () and kind_of(value) not in {"b", "M", "m"}
    if not (is_real and is_scalar) or isinstance(value, bool):
        raise InvalidType(place, f"is of the type {type_name(value)}, not a number.")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        raise InvalidValue(place, f"is no number: {error}") from error


def _check_shape(shape: Sequence[int], place: KeyPath) -> None:
    if len(shape) != 1:
        raise InvalidValue(place, f"is an array of shape {tuple(shape)}; it is to be one vector.")


def _check_finite(floats: Iterable[float], place: KeyPath) -> None:
    """Check that all numbers are finite; an infinite sum alone is no error.

    Raises:
        InvalidValue: a number is not finite.
    """
    for index, number in enumerate(floats):
        if not isfinite(number):
            raise InvalidValue((*place, index), f"is {number}, which is no finite float32.")
