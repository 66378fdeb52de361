"""Products with cells on each code path of this machine, and the choice of cells by them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.indexing.kernels import cpu, dot_cells
from core.indexing.kernels.cells import greatest, threshold
from core.indexing.kernels.cpu import CodePath
from tests.unit.core.indexing.kernels.calling import compile_kernel

PATHS = cpu.available()


DOTS = {path: compile_kernel(dot_cells.make_dot_cells(path), 4) for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
@given(sixteens=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_products(path: CodePath, sixteens: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 16 * sixteens
    cells = rng.integers(0, 256, (16, count)).astype(np.uint8)
    vector = rng.integers(-128, 128, count).astype(np.int8)
    side_by_side = np.ascontiguousarray(cells.reshape(16, count // 4, 4).transpose(1, 0, 2))
    out = np.empty(16, np.int32)
    DOTS[path](side_by_side.ctypes.data, vector.ctypes.data, count, out.ctypes.data)
    assert np.array_equal(out, cells.astype(np.int64) @ vector.astype(np.int64))


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=100), st.data())
def test_the_threshold_is_the_wanted_value(values: list[int], draw: st.DataObject) -> None:
    wanted = draw.draw(st.integers(1, len(values)))
    least = threshold(np.array(values, np.int32), len(values), wanted)
    ranked = sorted(values, reverse=True)
    assert sum(value >= least for value in values) >= wanted
    assert sum(value > least for value in values) < wanted or least > ranked[wanted:][0]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=100))
def test_the_first_of_the_greatest(values: list[int]) -> None:
    assert greatest(np.array(values, np.int32), len(values)) == values.index(max(values))
