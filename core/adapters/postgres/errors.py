"""The one place where PostgreSQL's errors become the project's."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from core.domain.errors import NalandaError, StorageError, StorageFull, Unavailable

_NOT_NOW = (
    errors.ReadOnlySqlTransaction,  # a standby, or a primary that no longer is one
    errors.IdleInTransactionSessionTimeout,
    errors.LockNotAvailable,
    errors.QueryCanceled,
)
_NOT_NOW_CLASSES = ("08", "53", "57")
"""Connection, resources, operator's intervention."""


@contextmanager
def postgres_errors() -> Iterator[None]:
    """Raises:
    StorageFull: the disk is full. Unavailable: it may go well later. StorageError: the rest.
    """
    try:
        yield
    except psycopg.Error as error:
        raise translated(error) from error


def translated(error: psycopg.Error) -> NalandaError:
    reason = reason_of(error)
    if isinstance(error, PoolClosed):
        return StorageError("The store is closed.")
    if isinstance(error, PoolTimeout):
        return Unavailable("No connection to the database was free in time.")
    if isinstance(error, errors.DiskFull):
        return StorageFull(f"The database's disk is full: {reason}")
    if _may_go_well_later(error):
        return Unavailable(f"The database is not available: {reason}")
    return StorageError(f"The database failed: {reason}")


def reason_of(error: psycopg.Error) -> str:
    """One line."""
    said = error.diag.message_primary or str(error)
    return " ".join(said.split()) or type(error).__name__


def _may_go_well_later(error: psycopg.Error) -> bool:
    if isinstance(error, _NOT_NOW):
        return True
    if error.sqlstate is None:  # libpq's own: the connection is lost
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_NOT_NOW_CLASSES)
