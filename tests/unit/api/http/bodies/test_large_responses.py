"""Large responses: the same JSON as small ones, within a limit."""

import json

import pytest

from api.http.bodies.large_responses import Budget
from core.domain.errors import Invalid


def test_it_is_the_same_json() -> None:
    content = {"hits": [{"a": 1}, {"b": "x"}], "plan": {"exact": True}, "position": 4}
    assert json.loads(Budget("/k").dump(content, "hits")) == content
    assert json.loads(Budget("/k").dump({"hits": []}, "hits")) == {"hits": []}


def test_the_bound_holds_for_all_rows_together() -> None:
    budget = Budget("/k", 2 * 2**20)
    budget.rows(["x" * 2**20])
    with pytest.raises(Invalid) as caught:
        budget.rows(["x" * 2**20])
    assert caught.value.faults[0].pointer == "/k"
    assert "exceed 2 MiB" in caught.value.faults[0].detail


def test_one_row_is_never_refused() -> None:
    assert len(Budget("/limit", 10).rows(["x" * 100])) == 104
