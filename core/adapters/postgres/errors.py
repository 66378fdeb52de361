"""Maps PostgreSQL's errors to the project's; the only place that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from core.domain.errors import NalandaError, StorageError, StorageFull, Unavailable

_RETRYABLE_ERRORS = (
    errors.ReadOnlySqlTransaction,  # a standby, or a primary that no longer is one
    errors.IdleInTransactionSessionTimeout,
    errors.LockNotAvailable,
    errors.QueryCanceled,
)
_RETRYABLE_CLASSES = ("08", "53", "57")
"""SQLSTATE classes: connection exception, insufficient resources, operator intervention."""


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


def nalanda_error(error: psycopg.Error) -> NalandaError:
    reason = reason_of(error)
    if isinstance(error, PoolClosed):
        return StorageError("The store is closed.")
    if isinstance(error, PoolTimeout):
        return Unavailable("No connection to the database was free in time.")
    if isinstance(error, errors.DiskFull):
        return StorageFull(f"The database's disk is full: {reason}")
    if _is_retryable(error):
        return Unavailable(f"The database is not available: {reason}")
    return StorageError(f"The database failed: {reason}")


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
