"""Mapping of errors to Temporal's `ApplicationError`.

A refusal would recur at every attempt, so it is not retried. Any other error is retried after its
own delay, or that of the retry policy.
"""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

import nalanda
from core.contracts.budget import Spending
from core.domain import errors as domain

KNOWN = (domain.NalandaError, nalanda.NalandaError)
REFUSED = (
    domain.NotFound,
    domain.Conflict,
    domain.PreconditionFailed,
    domain.Invalid,
    domain.ProviderRejected,
    domain.BudgetSpent,
    domain.WrongInstance,
    nalanda.InvalidAddress,
    nalanda.InvalidCertificates,
    nalanda.InvalidName,
    nalanda.InvalidProxy,
    nalanda.InvalidType,
    nalanda.InvalidValue,
    nalanda.QueryFailed,
    nalanda.BadRequestError,
    nalanda.AuthenticationError,
    nalanda.PermissionDeniedError,
    nalanda.NotFoundError,
    nalanda.ConflictError,
    nalanda.PreconditionFailedError,
    nalanda.PayloadTooLargeError,
    nalanda.ValidationError,
)


def application_error(error: Exception, attempt: int, *spent: Spending) -> ApplicationError:
    """Convert an error; its type is the class name.

    Its details are the attempt's number, and what the attempts of a stage have spent.
    """
    return ApplicationError(
        str(error),
        attempt,
        *spent,
        type=type(error).__name__,
        non_retryable=_is_refusal(error),
        next_retry_delay=_delay(error),
        category=ApplicationErrorCategory.BENIGN,  # logs one line without a stack trace
    )


def workflow_ended() -> ApplicationError:
    """Return the error of an activity that stops because its workflow has ended."""
    return ApplicationError(
        "The question is over.", type="Over", category=ApplicationErrorCategory.BENIGN
    )


def _is_refusal(error: Exception) -> bool:
    # A status without an own class, such as 405 from another server at the address.
    return isinstance(error, REFUSED) or type(error) is nalanda.ApiError


def _delay(error: Exception) -> timedelta | None:
    if not isinstance(error, domain.Unavailable | domain.ProviderUnavailable | nalanda.ApiError):
        return None
    return None if error.retry_after_s is None else timedelta(seconds=error.retry_after_s)
