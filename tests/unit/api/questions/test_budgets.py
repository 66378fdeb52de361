"""The budget of a question: what its request sets, else the settings."""

import pytest

from api.questions.requests import budget_of
from api.wire.questions import BudgetRequest
from core.contracts.budget import Budget
from core.settings import Settings


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (None, Budget(calls=9)),
        (BudgetRequest(calls=20), Budget(calls=20)),
        (BudgetRequest(tokens=5), Budget(tokens=5, calls=9)),
    ],
)
def test_a_request_goes_before_the_settings(body: BudgetRequest | None, wanted: Budget) -> None:
    assert budget_of(Settings(budget_calls=9), body) == wanted


def test_without_both_there_is_no_limit() -> None:
    assert budget_of(Settings(), None) is None
