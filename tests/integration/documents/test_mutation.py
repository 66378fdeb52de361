"""A short run of damaged files; `python -m tests.mutation` is a long one."""

from collections import Counter

from tests.mutation.mutating import SEEDS
from tests.mutation.running import run


def test_damaged_files_end_in_a_document_or_a_clear_line() -> None:
    outcomes = dict(run(files=25, seed=7))
    assert outcomes.keys() == SEEDS.keys()
    total = sum(outcomes.values(), Counter[str]())
    assert total["document"] + total["line"] == 25 * len(SEEDS)
    assert total["document"] > 0
    assert total["line"] > 0
