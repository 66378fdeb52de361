"""The account of a question: its spending on providers, and the rest of its budget.

The account is made of the outputs and failures of activities, which are in the history, so that no
crash of a worker resets it.
"""

from collections.abc import Sequence
from typing import Any

from temporalio import exceptions, workflow
from temporalio.exceptions import ActivityError, ApplicationError, RetryState

with workflow.unsafe.imports_passed_through():
    from core.contracts.budget import Budget, Spending, Usage
    from core.contracts.query import BilledOutput, StageOutput
    from workflows.policies import FALLBACK_RETRY


class Account:
    """The account of one question; `usage` is what its result shows.

    Attempts that ended without a report, and estimated tokens of failed calls, count towards the
    budget only.
    """

    def __init__(self) -> None:
        self.usage = Usage()
        self._unreported_calls = 0
        self._estimated_tokens = 0

    def add(self, output: StageOutput) -> None:
        """Add what a stage has spent that has succeeded."""
        if isinstance(output, BilledOutput):
            self.usage += output.usage
            self._estimated_tokens += output.estimated_tokens

    def add_failure(self, error: ActivityError) -> None:
        """Add what a stage has spent that has failed for good."""
        reported = _reported(error.cause)
        self.usage += Usage(calls=reported.calls)
        self._estimated_tokens += reported.tokens
        if isinstance(error.cause, exceptions.TimeoutError):
            self._unreported_calls += max(_attempts(error, reported) - reported.attempt, 0)

    def left(self, budget: Budget | None) -> Budget | None:
        """Return what a stage that begins now may spend."""
        if budget is None:
            return None
        usage = self.usage
        tokens = usage.input_tokens + usage.output_tokens + self._estimated_tokens
        calls = usage.calls + self._unreported_calls
        return Budget(tokens=_rest(budget.tokens, tokens), calls=_rest(budget.calls, calls))


def _rest(amount: int | None, spent: int) -> int | None:
    return None if amount is None else max(amount - spent, 0)


def _reported(cause: BaseException | None) -> Spending:
    """Return the last report of a failed activity's attempts."""
    while cause is not None:
        details: Sequence[Any] = ()
        if isinstance(cause, ApplicationError):
            details = cause.details[1:]
        elif isinstance(cause, exceptions.TimeoutError):
            details = cause.last_heartbeat_details
        if details and isinstance(details[0], dict):
            return Spending.model_validate(details[0])
        cause = cause.__cause__
    return Spending()


def _attempts(error: ActivityError, reported: Spending) -> int:
    """Return the number of attempts of an activity that timed out, as far as it is known."""
    if error.retry_state is RetryState.MAXIMUM_ATTEMPTS_REACHED:
        return FALLBACK_RETRY.maximum_attempts
    return reported.attempt + 1
