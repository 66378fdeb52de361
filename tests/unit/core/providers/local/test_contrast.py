"""Contrast: cosines without what the rows have in common."""

import numpy as np
import pytest

from core.providers.base import Vectors
from core.providers.local.contrast import contrast


def rows(*values: tuple[float, ...]) -> Vectors:
    return np.array(values, dtype=np.float32)


def test_what_all_rows_have_in_common_does_not_count() -> None:
    pair = rows((1, 0.1, 0), (1, 0, 0.1))
    one, other = contrast(rows((0.9, 0.1, 0))[0], pair)
    assert one == pytest.approx(-other)
    assert one > 0
    assert contrast(rows((0.9, 0.1, 0))[0] + pair.sum(axis=0), pair)[0] == pytest.approx(one)


def test_rows_that_are_alike_or_zero_have_no_contrast() -> None:
    question = rows((0.6, 0.8))[0]
    assert contrast(question, rows((1, 0), (1, 0), (0, 0))).tolist() == [0, 0, 0]
    assert contrast(question, np.empty((0, 2), np.float32)).shape == (0,)
