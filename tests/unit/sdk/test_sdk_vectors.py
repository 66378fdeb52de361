"""Vectors keep their float32 values in both directions."""

import ctypes
from array import array
from base64 import b64encode
from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nalanda import InvalidValue
from nalanda._packing import pack
from nalanda._vectors import unpack

floats = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=50)


@given(floats)
def test_an_array_becomes_little_endian_float32(numbers: list[float]) -> None:
    expected = b64encode(np.array(numbers, "<f4").tobytes()).decode()
    assert pack(np.array(numbers, np.float32)) == expected
    assert pack(np.array(numbers, np.float64)) == expected
    assert pack(np.array(numbers, ">f4")) == expected
    assert pack(array("f", numbers)) == expected


@given(floats)
def test_it_comes_back_as_it_was(numbers: list[float]) -> None:
    assert unpack(pack(array("f", numbers))) == numbers


def test_every_second_number_of_an_array() -> None:
    assert unpack(pack(np.arange(6, dtype=np.float32)[::2])) == [0, 2, 4]


def test_integers_in_an_array() -> None:
    assert unpack(pack(np.array([1, 2], np.int64))) == [1, 2]


class Tensor:
    """A fake of PyTorch's tensors: `tolist`, and no buffer."""

    def __init__(self, numbers: list[Any]) -> None:
        self._numbers = np.array(numbers)
        self.shape = self._numbers.shape

    def tolist(self) -> Any:
        return self._numbers.tolist()


class ArrayLike:
    """A fake of TensorFlow's tensors: only numpy's array protocol."""

    def __array__(self) -> Any:
        return np.array([1, 2], np.float64)


class Scalar:
    """A fake of tensors with one number."""

    def __init__(self, number: float) -> None:
        self._number = number

    def __float__(self) -> float:
        return self._number


ONE_TWO = pack(np.array([1, 2], np.float32))


@pytest.mark.parametrize(
    "vector",
    [
        Tensor([1, 2]),
        ArrayLike(),
        array("d", [1, 2]),
        array("i", [1, 2]),
        memoryview(array("f", [1, 2])),
        (ctypes.c_float * 2)(1, 2),
        np.array([1, 2], np.float16),
        np.array([1, 2], np.longdouble),
        np.array([1, 2], object),
        np.ma.array([1, 2]),
    ],
    ids=lambda vector: type(vector).__name__,
)
def test_each_kind_of_array(vector: Any) -> None:
    assert pack(vector) == ONE_TWO


@pytest.mark.parametrize(
    "vector",
    [
        [1.0, 2.0],
        (1, 2),
        [np.float32(1), np.float64(2)],
        [np.int8(1), np.longdouble(2)],
        [Scalar(1.0), np.array(2.0)],
        [Decimal(1), Fraction(2)],
        deque([1, 2]),
        iter([1, 2]),
    ],
)
def test_a_sequence_becomes_a_list(vector: Any) -> None:
    packed = pack(vector)
    assert packed == [1.0, 2.0]
    assert {type(number) for number in packed} == {float}


def test_what_is_packed_already_stays() -> None:
    assert pack("AACAPw==") == "AACAPw=="


@pytest.mark.parametrize(
    ("vector", "place", "said"),
    [
        (np.zeros((2, 2), np.float32), "embedding", r"shape \(2, 2\)"),
        (np.zeros((1, 2), np.float64), "embedding", r"shape \(1, 2\)"),
        (np.array(1.0), "embedding", r"shape \(\)"),
        (Tensor([[1, 2]]), "embedding", r"shape \(1, 2\)"),
        ([1, float("nan")], "embedding[1]", "is nan"),
        (np.array([1, np.inf]), "embedding[1]", "is inf"),
        (np.array([1, 1e39]), "embedding[1]", "finite float32"),
        (array("f", [-np.inf]), "embedding[0]", "is -inf"),
        ([10**400], "embedding", "too large"),
        ([Decimal("NaN")], "embedding[0]", "is nan"),
        ([1, [2]], "embedding[1]", "of the type list"),
        ([1, None], "embedding[1]", "of the type NoneType"),
        ([True], "embedding[0]", "of the type bool"),
        (["1.5"], "embedding[0]", "of the type str"),
        (np.array([True]), "embedding[0]", "of the type bool"),
        ([np.True_], "embedding[0]", "of the type numpy.bool"),
        (np.array(["a"]), "embedding[0]", "of the type str"),
        (np.array([1j]), "embedding[0]", "of the type complex"),
        (np.array(["2026-01-01"], "M8[D]"), "embedding[0]", "of the type datetime.date"),
        (b"\0\0\0\0", "embedding", "bytes"),
        (memoryview(b"\0\0\0\0"), "embedding", "bytes"),
        (5, "embedding", "of the type int"),
        ([np.array([1.0])], "embedding[0]", "of the type numpy.ndarray"),
        ({0: 1.0}, "embedding", "of the type dict"),
        ({1.0}, "embedding", "of the type set"),
    ],
)
def test_what_is_no_vector_is_refused_by_its_place(vector: Any, place: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said) as raised:
        pack(vector)
    assert raised.value.place == place


def test_a_sum_beyond_float64_is_no_infinity() -> None:
    assert pack([1e308, 1e308]) == [1e308, 1e308]


def test_a_list_is_taken_as_it_came() -> None:
    assert unpack([1.5]) == [1.5]
