"""The one place where what went wrong becomes what Temporal acts on.

A refusal will be the same at every attempt, so there is no other attempt. All else may go
better the next time, after the delay that the error asks for, or that of the retry policy.
"""

from datetime import timedelta

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

import nalanda
from core.domain import errors as domain

KNOWN = (domain.NalandaError, nalanda.NalandaError)
REFUSED = (
    domain.NotFound,
    domain.Conflict,
    domain.PreconditionFailed,
    domain.Invalid,
    domain.ProviderRejected,
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


def application_error(error: Exception, attempt: int) -> ApplicationError:
    """`error`, by its class's name and with the attempt's number as its first detail."""
    return ApplicationError(
        str(error),
        attempt,
        type=type(error).__name__,
        non_retryable=_is_refusal(error),
        next_retry_delay=_delay(error),
        category=ApplicationErrorCategory.BENIGN,  # one line is logged, without a stack trace
    )


def no_longer_wanted() -> ApplicationError:
    """For an activity that is stopped because its workflow has ended without it."""
    return ApplicationError(
        "The question is over.", type="Over", category=ApplicationErrorCategory.BENIGN
    )


def _is_refusal(error: Exception) -> bool:
    # A status without a class of its own: 405, say, if something else answers at the address.
    return isinstance(error, REFUSED) or type(error) is nalanda.ApiError


def _delay(error: Exception) -> timedelta | None:
    if not isinstance(error, domain.Unavailable | domain.ProviderUnavailable | nalanda.ApiError):
        return None
    return None if error.retry_after_s is None else timedelta(seconds=error.retry_after_s)
