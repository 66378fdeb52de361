"""The meter of a stage: the calls that a budget allows, and the reports between attempts."""

import pytest

from core.contracts.budget import Budget, Spending
from core.domain.errors import BudgetSpent
from core.providers.metering import Meter, begin_call, estimate_tokens, metering

TEXT = ["a" * 40]  # some 10 tokens


def test_calls_are_counted_and_then_refused() -> None:
    with metering(Meter(Budget(calls=2), Spending(), 1)):
        begin_call()
        begin_call()
        with pytest.raises(BudgetSpent, match=r"budget of calls is spent"):
            begin_call()
    begin_call()  # outside of any block nothing is counted


def test_a_call_that_would_exceed_the_tokens_is_refused() -> None:
    meter = Meter(Budget(tokens=15), Spending(), 1)
    meter.count(TEXT)
    with pytest.raises(BudgetSpent, match=r"5 tokens left; a call takes some 10"):
        meter.count(TEXT)
    assert (meter.calls, meter.report()) == (1, Spending(attempt=1, calls=1, tokens=10))


def test_an_attempt_goes_on_from_the_report_of_the_one_before() -> None:
    meter = Meter(Budget(calls=4), Spending(attempt=2, calls=3, tokens=7), 3)
    meter.count(TEXT)
    assert (meter.calls, meter.estimated_tokens) == (4, 7)
    with pytest.raises(BudgetSpent):
        meter.count(TEXT)
    assert meter.report() == Spending(attempt=3, calls=4, tokens=17)


def test_an_attempt_that_reported_nothing_counts_as_one_call() -> None:
    meter = Meter(Budget(tokens=29), Spending(attempt=1, calls=1, tokens=10), 3)
    with pytest.raises(BudgetSpent):
        meter.count(TEXT)
    assert meter.report() == Spending(attempt=3, calls=2, tokens=20)


def test_it_counts_as_the_most_calls_of_an_attempt() -> None:
    meter = Meter(Budget(calls=2), Spending(), 2, most_calls=2)
    with pytest.raises(BudgetSpent):
        meter.count(TEXT)


def test_a_stage_without_a_call_spends_nothing() -> None:
    """A local model of a worker that was killed has called no one."""
    meter = Meter(Budget(calls=1), Spending(), 3)
    assert (meter.calls, meter.estimated_tokens) == (0, 0)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("港口", 2), ("\ud800", 1)]
)
def test_the_estimate_of_tokens(text: str, tokens: int) -> None:
    assert estimate_tokens([text]) == tokens
