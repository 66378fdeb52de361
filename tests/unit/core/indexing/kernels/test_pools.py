import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.indexing.kernels.memory import ordered, unordered
from core.indexing.kernels.pools import WORST, insert, last
from tests.unit.core.indexing.kernels.calling import compile_kernel


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=60), st.integers(1, 20))
@settings(max_examples=60)
def test_a_pool_keeps_the_least_in_order(keys: list[int], limit: int) -> None:
    pool = np.zeros(limit + 1, np.int64)
    count = 0
    for key in keys:
        if key < last(pool.ctypes.data, count, limit):
            place = insert(pool.ctypes.data, count, limit, key)
            count = min(count + 1, limit)
            assert pool[place] == key
    assert pool[:count].tolist() == sorted(keys)[:limit]


def test_anything_gets_into_a_pool_with_room() -> None:
    pool = np.zeros(3, np.int64)
    assert last(pool.ctypes.data, 1, 2) == WORST


_ordered, _unordered = compile_kernel(ordered, 1), compile_kernel(unordered, 1)

_floats = st.floats(width=32, allow_nan=False)


@given(_floats, _floats)
def test_ordered_integers_compare_as_their_floats(a: float, b: float) -> None:
    if a != b:
        assert (_ordered(a) < _ordered(b)) == (a < b)
    assert _unordered(_ordered(a)) == a
