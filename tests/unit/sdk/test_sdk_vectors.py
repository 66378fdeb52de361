"""Vectors keep their float32 values on the way out and back."""

from array import array
from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nalanda._vectors import Vector, pack, unpack

floats = st.lists(st.floats(width=32, allow_nan=False), max_size=50)


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


@pytest.mark.parametrize("vector", [[1.0, 2.0], (1, 2), [np.float32(1), np.float32(2)]])
def test_a_sequence_becomes_a_list(vector: Vector) -> None:
    packed = pack(vector)
    assert packed == [1.0, 2.0]
    assert {type(number) for number in packed} == {float}


def test_what_is_packed_already_stays() -> None:
    assert pack("AACAPw==") == "AACAPw=="


def test_a_matrix_is_no_vector() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        pack(np.zeros((2, 2), np.float32))


def test_a_list_is_taken_as_it_came() -> None:
    assert unpack([1.5]) == [1.5]
