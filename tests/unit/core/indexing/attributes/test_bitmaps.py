import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from core.indexing.attributes import bitmaps

SIZE = 5 * 2**16 + 17


def sample(count: int, seed: int, *, low: int = 0, high: int = SIZE) -> bitmaps.Rows:
    rng = np.random.default_rng(seed)
    return (low + rng.permutation(high - low)[:count]).astype(np.uint32)


@pytest.mark.parametrize("count", [0, 1, 64, 65, 4096, 4097, 30_000, 200_000, SIZE])
@pytest.mark.parametrize("low", [0, 3 * 2**16 + 5])
def test_rows_and_masks_make_the_bitmap_that_the_library_makes(count: int, low: int) -> None:
    rows = sample(count, count, low=low)
    expected = BitMap(rows.tolist())
    assert bitmaps.from_rows(rows, SIZE) == expected
    assert bitmaps.from_rows(np.sort(rows), SIZE, ascending=True) == expected
    # A much larger `size`, so that the rows are sorted instead of scattered into a mask.
    assert bitmaps.from_rows(rows, 2**30) == expected
    mask = bitmaps.to_mask(expected, SIZE)
    assert mask.dtype == np.bool_
    assert np.flatnonzero(mask).tolist() == list(expected)
    assert bitmaps.from_mask(mask) == expected
    assert bitmaps.to_rows(expected).tolist() == list(expected)


@given(
    runs=st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(1, 70_000)), max_size=6),
    scattered=st.integers(0, 5000),
)
def test_a_mask_of_every_kind_of_container(runs: list[tuple[int, int]], scattered: int) -> None:
    bitmap = BitMap(sample(scattered, scattered).tolist())
    for start, length in runs:
        bitmap |= BitMap(range(start, min(start + length, SIZE)))
    bitmap.run_optimize()
    mask = bitmaps.to_mask(bitmap, SIZE)
    assert np.flatnonzero(mask).tolist() == list(bitmap)
    assert bitmaps.from_mask(mask) == bitmap


def test_all_rows_and_none() -> None:
    assert bitmaps.to_mask(bitmaps.full(SIZE), SIZE).all()
    assert len(bitmaps.full(0)) == 0
    assert len(bitmaps.to_mask(BitMap(), 0)) == 0
