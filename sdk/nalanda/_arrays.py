"""Arrays of numpy, PyTorch, pandas and the like, without importing any of them.

All of them have `tolist`, except TensorFlow's, which convert to numpy's by `__array__`.
"""

from contextlib import suppress
from typing import Any

_WHOLE_DAYS = ("[Y]", "[M]", "[W]", "[D]")
"""Suffixes of numpy's types for dates without a time."""


def is_array(value: object) -> bool:
    return hasattr(value, "tolist") or hasattr(value, "__array__")


def items_of(value: Any) -> Any:
    """Return an array's items as lists of plain values, or a scalar's value.

    Raises:
        Exception: any error of the library, or a ValueError for a missing date-time.
    """
    array = value if hasattr(value, "tolist") else value.__array__()
    if kind_of(array) == "M":
        array = _times(array)
    return array.tolist()


def kind_of(array: object) -> str:
    """Return numpy's letter of a type, such as `b` for booleans and `M` for times; else an empty
    string.
    """
    return str(getattr(getattr(array, "dtype", None), "kind", ""))


def _times(array: Any) -> Any:
    """Return times in microseconds, Python's resolution; finer ones would become integers."""
    if (array != array).any():
        raise ValueError("NaT is no time; leave it out, or send None")
    if array.dtype.str.endswith(_WHOLE_DAYS):
        return array
    with suppress(TypeError):  # pandas' times with a zone convert to Python's directly
        return array.astype("datetime64[us]")
    return array
