"""Sums by 4-bit codes on each code path of this machine, against numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import binding
from numpy.typing import NDArray

from core.indexing.kernels import cpu, fastscan
from core.indexing.kernels.cpu import CodePath
from tests.unit.core.indexing.kernels.calling import compile_kernel

_PERMUTES = bool(binding.get_host_cpu_features().get("avx512vbmi"))
PATHS = [path for path in cpu.available() if path is not CodePath.AVX512 or _PERMUTES]


def _compiled(path: CodePath, queries: int) -> Callable[..., Any]:
    return compile_kernel(fastscan.make_scan_block(path, queries), 4)


SCANS = {(path, queries): _compiled(path, queries) for path in PATHS for queries in (1, 4)}


def _packed(codes: NDArray[np.uint8], path: CodePath) -> NDArray[np.uint8]:
    """Pack `codes`, `(32, tables)`, into a block."""
    row_stride, table_stride = fastscan.strides(path)
    packed = np.zeros(len(codes[0]) // 4 * 64, np.uint8)
    for (row, table), code in np.ndenumerate(codes):
        at = table // 4 * 64 + table % 4 * table_stride + row % 16 * row_stride
        packed[at] |= code << (4 if row >= 16 else 0)
    return packed


@pytest.mark.parametrize("queries", [1, 4])
@pytest.mark.parametrize("path", PATHS)
@given(chunks=st.integers(1, 64), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_sums(path: CodePath, queries: int, chunks: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 16, (32, 4 * chunks)).astype(np.uint8)
    tables = rng.integers(0, 256, (queries, 4 * chunks, 16)).astype(np.uint8)
    expected = tables[:, np.arange(4 * chunks), codes].sum(axis=2, dtype=np.int64)
    packed = _packed(codes, path)
    addresses = tables.ctypes.data + np.arange(queries) * tables[0].nbytes
    out = np.full((queries, 32), -1, np.int32)
    SCANS[path, queries](packed.ctypes.data, addresses.ctypes.data, chunks, out.ctypes.data)
    assert np.array_equal(out, expected)


_passing: Callable[..., int] = compile_kernel(fastscan.passing, 5)


def _pass(sums: int, biases: int, scale: float, base: float, threshold: float) -> int:
    return _passing(sums, biases, np.float32(scale), np.float32(base), np.float32(threshold))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_what_passes_a_threshold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sums = rng.integers(0, 1 << 16, 32).astype(np.int32)
    biases = rng.standard_normal(32).astype(np.float32)
    biases[rng.random(32) < 0.2] = -np.inf
    expected = sums.astype(np.float32) * np.float32(2**-16) + biases + np.float32(0.25)
    mask = _pass(sums.ctypes.data, biases.ctypes.data, 2**-16, 0.25, 0.5)
    assert np.array_equal(sums.view(np.float32), expected)
    assert [bool(mask >> i & 1) for i in range(32)] == (expected > 0.5).tolist()


def test_no_row_that_is_not_there_passes() -> None:
    sums, biases = np.zeros(32, np.int32), np.full(32, -np.inf, np.float32)
    assert _pass(sums.ctypes.data, biases.ctypes.data, 1.0, 0.0, -np.inf) == 0
