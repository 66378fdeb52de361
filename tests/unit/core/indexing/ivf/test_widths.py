from itertools import combinations, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.indexing.ivf.widths import share_out


def _error(variances: list[float], widths: list[int]) -> float:
    """Compute the error by the formula in the module's docstring."""
    parts = [variances[a:b] for a, b in pairwise(widths)]
    return float(
        sum(
            len(part) * float(np.prod(part)) ** (1 / len(part)) * 2 ** (-8 / len(part))
            for part in parts
        )
    )


@given(
    st.lists(st.floats(1e-3, 10), min_size=1, max_size=8),
    st.integers(1, 8),
)
def test_no_other_division_is_better(variances: list[float], tables: int) -> None:
    widths = share_out(np.array(variances), tables).tolist()
    count, parts = len(variances), min(tables, len(variances))
    assert len(widths) == parts + 1
    others = (
        _error(variances, [0, *inner, count]) for inner in combinations(range(1, count), parts - 1)
    )
    assert _error(variances, widths) <= min(others) * (1 + 1e-9)


def test_numbers_that_vary_much_have_tables_of_their_own() -> None:
    widths = np.diff(share_out(np.geomspace(1, 1e-3, 32), 16))
    assert widths[0] == 1
    assert widths[-1] > 1


def test_numbers_that_do_not_vary_at_all() -> None:
    assert share_out(np.zeros(300), 4).tolist()[-1] == 300
