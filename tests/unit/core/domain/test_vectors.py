import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import Invalid
from core.domain.library import Metric
from core.domain.vectors import (
    MAX_DIMENSION,
    MAX_NORM,
    MIN_NORM,
    check,
    decode_base64,
    from_numbers,
)


def fault_of(caught: pytest.ExceptionInfo[Invalid]) -> str:
    [fault] = caught.value.faults
    return fault.pointer


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_and_base64_say_the_same(numbers: list[float]) -> None:
    packed = base64.b64encode(np.array(numbers, "<f4").tobytes()).decode()
    embedding = from_numbers(numbers, "/embedding")
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(embedding, np.array(numbers, np.float32))
    np.testing.assert_array_equal(decode_base64(packed, "/embedding"), embedding)


@pytest.mark.parametrize(
    ("numbers", "pointer"),
    [
        ([], "/e"),
        ([0.0] * (MAX_DIMENSION + 1), "/e"),
        ([1, True], "/e/1"),
        ([1, "1.5"], "/e/1"),
        ([None], "/e/0"),
        ([[1.0]], "/e/0"),
        ([1.0, float("nan")], "/e/1"),
        ([1.0, 2.0, float("-inf")], "/e/2"),
        ([1.0, 1e300], "/e/1"),
        ([1.0, 3.5e38], "/e/1"),
        ([1, 10**400], "/e/1"),
        ([-(10**400), 1], "/e/0"),
    ],
)
def test_numbers_that_are_no_embedding(numbers: list[Any], pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        from_numbers(numbers, "/e")
    assert fault_of(caught) == pointer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        "AAAA\nAAA=",
        "AAAAAAA",
        "é",
        "AAA=",
        base64.b64encode(np.array([1, np.nan], "<f4").tobytes()).decode(),
        base64.b64encode(np.array([np.inf], "<f4").tobytes()).decode(),
        base64.b64encode(bytes(4 * MAX_DIMENSION + 4)).decode(),
    ],
)
def test_base64_that_is_no_embedding(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode_base64(text, "/e")
    assert fault_of(caught) == "/e"


@pytest.mark.parametrize(
    ("embedding", "metric"),
    [
        ([1, 2, 3], Metric.L2),
        ([], Metric.L2),
        ([1, np.nan], Metric.DOT),
        ([0.0, -0.0], Metric.COSINE),
    ],
)
def test_an_embedding_that_does_not_fit(embedding: list[float], metric: Metric) -> None:
    with pytest.raises(Invalid) as caught:
        check(np.array(embedding, np.float32), dimension=2, metric=metric, pointer="/e")
    assert fault_of(caught) == "/e"


@pytest.mark.parametrize(
    ("embedding", "metric"),
    [
        ([0, 0], Metric.L2),
        ([0, 0], Metric.DOT),
        *(([end, 0], metric) for end in (MIN_NORM, MAX_NORM) for metric in Metric),
    ],
)
def test_an_embedding_that_fits(embedding: list[float], metric: Metric) -> None:
    array = np.array(embedding, np.float32)
    check(array, dimension=2, metric=metric, pointer="/e")
    check(array, dimension=None, metric=metric, pointer="/e")


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("number", [1e-45, 1e-38, 1e-31, 9e-16, 1.1e15, 1e19, 1e30, 3e38])
def test_a_length_outside_the_range_is_named(number: float, metric: Metric) -> None:
    with pytest.raises(Invalid) as caught:
        check(np.array([number, 0], np.float32), dimension=2, metric=metric, pointer="/e")
    [fault] = caught.value.faults
    assert fault.pointer == "/e"
    assert "from 1e-15 to 1e+15" in fault.detail
