"""Each of PostgreSQL's errors becomes one of the project's, in one line."""

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from core.adapters.postgres.connections.errors import postgres_errors
from core.domain.errors import NalandaError, StorageError, StorageFull, Unavailable


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.DiskFull, StorageFull),
        (errors.TooManyConnections, Unavailable),
        (errors.OutOfMemory, Unavailable),
        (errors.AdminShutdown, Unavailable),
        (errors.CannotConnectNow, Unavailable),
        (errors.ConnectionException, Unavailable),
        (errors.QueryCanceled, Unavailable),
        (errors.LockNotAvailable, Unavailable),
        (errors.ReadOnlySqlTransaction, Unavailable),
        (errors.IdleInTransactionSessionTimeout, Unavailable),
        (psycopg.OperationalError, Unavailable),
        (PoolTimeout, Unavailable),
        (PoolClosed, StorageError),
        (errors.IoError, StorageError),
        (errors.DataCorrupted, StorageError),
        (errors.UndefinedTable, StorageError),
        (errors.ForeignKeyViolation, StorageError),
        (psycopg.DataError, StorageError),
    ],
)
def test_each_becomes_one_of_the_project_s(
    error: type[psycopg.Error], expected: type[NalandaError]
) -> None:
    with pytest.raises(NalandaError) as raised, postgres_errors():
        raise error("the reason\nLINE 1: more")
    assert type(raised.value) is expected
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value.__cause__, error)


def test_what_is_not_the_database_s_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), postgres_errors():
        raise ZeroDivisionError
