"""The count of a stage's calls to providers, which refuses calls beyond a question's budget.

A provider announces each call to the meter of the current task; local models make none.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from core.contracts.budget import Budget, Spending
from core.domain.errors import BudgetSpent

BYTES_PER_TOKEN = 4
"""The UTF-8 bytes of a token, by which the tokens of a call are estimated before it."""


class Meter:
    """The calls of a stage up to its current attempt, under the budget that the stage began with.

    `earlier` is what the attempts before have reported. An attempt without a report, whose worker
    died, counts as the `most_calls` that an attempt makes, with the texts of this one.
    """

    def __init__(
        self, budget: Budget, earlier: Spending, attempt: int, *, most_calls: int = 1
    ) -> None:
        self._budget = budget
        self._earlier = earlier
        self._attempt = attempt
        self._unreported = most_calls * max(attempt - 1 - earlier.attempt, 0)
        self._calls = earlier.calls + self._unreported
        self._tokens = earlier.tokens
        self._own_calls = 0
        self._own_tokens = 0

    @property
    def calls(self) -> int:
        """Return the calls of a stage that has succeeded."""
        return self._calls if self._own_calls else self._earlier.calls

    @property
    def estimated_tokens(self) -> int:
        """Return the tokens of the failed attempts of a stage that has succeeded."""
        return self._tokens - self._own_tokens

    def report(self) -> Spending:
        """Return what the stage has spent, at the end of an attempt that failed."""
        return Spending(attempt=self._attempt, calls=self._calls, tokens=self._tokens)

    def count(self, texts: Iterable[str]) -> None:
        """Count a call that is about to be made, and the tokens of its texts.

        Raises:
            BudgetSpent: the budget does not allow the call.
        """
        tokens = estimate_tokens(texts)
        self._tokens += self._unreported * tokens
        self._unreported = 0
        self._require(tokens)
        self._calls += 1
        self._tokens += tokens
        self._own_calls += 1
        self._own_tokens += tokens

    def _require(self, tokens: int) -> None:
        """Check a call of these tokens against the budget.

        Raises:
            BudgetSpent: the budget does not allow the call.
        """
        budget = self._budget
        if budget.calls is not None and self._calls >= budget.calls:
            raise BudgetSpent("The question's budget of calls is spent.")
        if budget.tokens is not None and self._tokens + tokens > budget.tokens:
            left = f"{max(budget.tokens - self._tokens, 0):,} tokens left"
            raise BudgetSpent(f"The question's budget has {left}; a call takes some {tokens:,}.")


_meter: ContextVar[Meter | None] = ContextVar("_meter", default=None)


@contextmanager
def metering(meter: Meter) -> Iterator[None]:
    """Count the calls of the block."""
    before = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(before)


def begin_call(texts: Iterable[str] = ()) -> None:
    """Announce a call to a provider, which bills the tokens of the texts.

    Raises:
        BudgetSpent: the question's budget does not allow the call.
    """
    meter = _meter.get()
    if meter is not None:
        meter.count(texts)


def estimate_tokens(texts: Iterable[str]) -> int:
    """Estimate the tokens of texts by their size, rounded up."""
    size_bytes = sum(len(text.encode(errors="replace")) for text in texts)
    return -(-size_bytes // BYTES_PER_TOKEN)
