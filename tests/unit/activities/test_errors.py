"""Every error of both trees becomes an `ApplicationError` that is retryable or not, explicitly."""

from datetime import timedelta

import pytest

import nalanda
from activities.errors import REFUSED, application_error
from core.contracts.names import PROVIDER_FAILURES
from core.domain import errors as domain

AGAIN = {
    domain.Unavailable,
    domain.Behind,
    domain.NotHeld,
    domain.NotLeading,
    domain.ProviderUnavailable,
    domain.StorageError,
    domain.StorageFull,
    domain.StorageUnavailable,
    domain.DataDirInUse,
    nalanda.ConnectionFailed,
    nalanda.PositionLost,
    nalanda.ProxyFailed,
    nalanda.TimedOut,
    nalanda.RateLimitedError,
    nalanda.ServerError,
    nalanda.UnavailableError,
    nalanda.UnexpectedAnswerError,
}
ABSTRACT = {domain.NalandaError, domain.ProviderError, nalanda.NalandaError}
BY_STATUS = {nalanda.ApiError}


def tree(root: type[Exception]) -> set[type[Exception]]:
    return {root}.union(*(tree(child) for child in root.__subclasses__()))


def test_no_class_of_either_tree_is_left_undecided() -> None:
    both = tree(domain.NalandaError) | tree(nalanda.NalandaError)
    assert both == AGAIN | set(REFUSED) | ABSTRACT | BY_STATUS


def test_the_workflow_knows_a_providers_failures_by_name() -> None:
    kinds = tree(domain.ProviderError) - ABSTRACT
    assert {application_error(kind("No."), 1).type for kind in kinds} == PROVIDER_FAILURES


def test_none_is_decided_both_ways() -> None:
    assert not [kind for kind in AGAIN if issubclass(kind, REFUSED)]


@pytest.mark.parametrize(
    ("error", "kind", "refused", "delay_s"),
    [
        (domain.ProviderRejected("No."), "ProviderRejected", True, None),
        (domain.BudgetSpent("Spent."), "BudgetSpent", True, None),
        (domain.ProviderUnavailable("Busy."), "ProviderUnavailable", False, None),
        (domain.ProviderUnavailable("Busy.", retry_after_s=7), "ProviderUnavailable", False, 7),
        (domain.Behind(wanted=3, reached=1), "Behind", False, 1),
        (domain.NotFound("library", "x"), "NotFound", True, None),
        (nalanda.ConnectionFailed("Gone."), "ConnectionFailed", False, None),
        (nalanda.InvalidAddress("What?"), "InvalidAddress", True, None),
        (nalanda.NotFoundError(404, "Not found"), "NotFoundError", True, None),
        (nalanda.ApiError(405, "Not allowed"), "ApiError", True, None),
        (nalanda.ServerError(500, "Broken"), "ServerError", False, None),
        (
            nalanda.UnavailableError(503, "Later", retry_after_s=2.5),
            "UnavailableError",
            False,
            2.5,
        ),
    ],
)
def test_the_failure_that_temporal_gets(
    error: Exception, kind: str, refused: bool, delay_s: float | None
) -> None:
    failure = application_error(error, attempt=4)
    assert (failure.message, failure.type, failure.details) == (str(error), kind, (4,))
    assert failure.non_retryable is refused
    assert failure.next_retry_delay == (None if delay_s is None else timedelta(seconds=delay_s))
