"""Maps PostgreSQL's errors to the project's; the only place that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from core.domain.errors import (
    NalandaError,
    StorageError,
    StorageFull,
    StorageUnavailable,
    Unavailable,
)

_RETRYABLE_ERRORS = (
    errors.ReadOnlySqlTransaction,  # a standby, or a primary that no longer is one
    errors.IdleInTransactionSessionTimeout,
    errors.LockNotAvailable,
    errors.QueryCanceled,
)
_RETRYABLE_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection exception, insufficient resources, operator intervention."""
_FENCED_OFF = "NA001"
"""The SQLSTATE of the function `pass_fence`."""
_NOT_SYNCHRONOUS = "NA002"
"""The SQLSTATE of the function `require_synchronous`."""


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Map the errors of PostgreSQL that the block raises.

    Raises:
        StorageFull: the server's disk is full.
        Unavailable: a later try may succeed.
        StorageError: PostgreSQL reports another error.
    """
    try:
        yield
    except psycopg.Error as error:
        raise nalanda_error(error) from error


def nalanda_error(error: psycopg.Error | ValueError) -> NalandaError:
    """Return the error as the project's; a `ValueError` is that of a value that can't be sent."""
    if isinstance(error, ValueError):
        return StorageError(f"A value can't be sent to the database: {error}")
    reason = reason_of(error)
    if isinstance(error, PoolClosed):
        return StorageError("The store is closed.")
    if isinstance(error, PoolTimeout):
        return Unavailable("No connection to the database was free in time.")
    if is_refusal(error):
        return Unavailable("Another process has taken over the writing.")
    if is_not_synchronous(error):
        return StorageUnavailable("Writes have to be synchronous (NALANDA_REQUIRE_SYNCHRONOUS).")
    if isinstance(error, errors.DiskFull):
        return StorageFull(f"The database's disk is full: {reason}")
    if _is_retryable(error):
        return Unavailable(f"The database is not available: {reason}")
    return StorageError(f"The database failed: {reason}")


def is_lost(error: psycopg.Error | ValueError) -> bool:
    """Return whether the connection is lost: cut by the network, or ended by the server."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith("57P")
    )


def is_refusal(error: psycopg.Error | ValueError) -> bool:
    """Return whether the fence has refused a transaction."""
    return isinstance(error, psycopg.Error) and error.sqlstate == _FENCED_OFF


def is_not_synchronous(error: psycopg.Error | ValueError) -> bool:
    """Return whether the server has refused a commit that would not wait for a standby."""
    return isinstance(error, psycopg.Error) and error.sqlstate == _NOT_SYNCHRONOUS


def is_of_the_write(error: psycopg.Error | ValueError) -> bool:
    """Return whether an error is of what is written, and not of the state of the database."""
    return type(nalanda_error(error)) is StorageError


def reason_of(error: psycopg.Error) -> str:
    """Return the error's primary message as one line."""
    said = error.diag.message_primary or str(error)
    return " ".join(said.split()) or type(error).__name__


def _is_retryable(error: psycopg.Error) -> bool:
    if isinstance(error, _RETRYABLE_ERRORS):
        return True
    if error.sqlstate is None:  # libpq's own: the connection is lost
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_RETRYABLE_CLASSES)
