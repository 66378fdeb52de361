"""Dot products on each code path of this machine, against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.indexing.kernels import cpu, dots
from core.indexing.kernels.cpu import CodePath
from tests.unit.core.indexing.kernels.calling import compile_kernel

PATHS = cpu.available()

Caller = Callable[..., Any]


def _callers(path: CodePath) -> dict[str, Caller]:
    return {
        "codes": compile_kernel(dots.make_dot_codes(path), 3),
        "stored": compile_kernel(dots.make_dot_codes(path, stored=True), 3),
        "by_4": compile_kernel(dots.make_dot_codes_by_4(path), 5),
        "floats": compile_kernel(dots.make_dot_floats(path), 3),
        "doubles": compile_kernel(dots.make_dot_doubles(path), 3),
        "squares": compile_kernel(dots.make_square_distance(path), 3),
    }


CALLERS = {path: _callers(path) for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
@given(blocks=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_codes(path: CodePath, blocks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 64 * blocks
    row = rng.integers(0, 256, size).astype(np.uint8)
    queries = rng.integers(-128, 128, (4, size)).astype(np.int8)
    expected = queries.astype(np.int64) @ row.astype(np.int64)
    callers = CALLERS[path]
    assert callers["codes"](row.ctypes.data, queries.ctypes.data, size) == expected[0]
    other = (queries[0].view(np.uint8)) ^ 0x80
    assert callers["stored"](row.ctypes.data, other.ctypes.data, size) == expected[0]
    out = np.zeros(5, np.int64)
    callers["by_4"](row.ctypes.data, queries.ctypes.data, size, out.ctypes.data, 1)
    assert out.tolist() == [0, *expected.tolist()]


@pytest.mark.parametrize("path", PATHS)
def test_codes_at_their_ends_do_not_saturate(path: CodePath) -> None:
    size = 4096
    row, query = np.full(size, 255, np.uint8), np.full(size, -128, np.int8)
    product = CALLERS[path]["codes"](row.ctypes.data, query.ctypes.data, size)
    assert product == 255 * -128 * size


@pytest.mark.parametrize("path", PATHS)
@given(count=st.integers(1, 200), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_floats(path: CodePath, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, count), np.float32)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    addresses = a.ctypes.data, b.ctypes.data, count
    callers = CALLERS[path]
    bound = np.abs(wide_a) @ np.abs(wide_b)
    assert abs(callers["floats"](*addresses) - wide_a @ wide_b) <= 1e-7 * count * bound
    assert callers["doubles"](*addresses) == pytest.approx(
        wide_a @ wide_b, abs=1e-14 * count * bound
    )
    assert callers["squares"](*addresses) == pytest.approx(np.sum((wide_a - wide_b) ** 2))


def test_the_best_path_is_taken_unless_another_is_named() -> None:
    assert cpu.choose_path(None) == cpu.choose_path("auto") == PATHS[0]
    assert cpu.choose_path("plain") is CodePath.PLAIN


def test_a_path_that_there_is_not_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"NALANDA_KERNELS=sse9 .* auto, .*plain"):
        cpu.choose_path("sse9")
