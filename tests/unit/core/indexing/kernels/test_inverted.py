import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.indexing.kernels.inverted import group_by_cell, select_smallest


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=200), st.data())
def test_the_smallest_come_first(keys: list[int], draw: st.DataObject) -> None:
    wanted = draw.draw(st.integers(1, len(keys)))
    array = np.array(keys, np.int64)
    select_smallest(array, len(array), wanted)
    assert sorted(array.tolist()) == sorted(keys)
    assert sorted(array[:wanted].tolist()) == sorted(keys)[:wanted]


def test_who_probes_a_cell() -> None:
    probes = np.array([[3, 0, 1], [1, 3, 0]])
    starts, order = np.empty(5, np.int64), np.empty(6, np.int64)
    group_by_cell(probes, 1, 3, starts, order)
    assert starts.tolist() == [0, 2, 3, 3, 4]
    assert order[:4].tolist() == [1, 5, 2, 4]
