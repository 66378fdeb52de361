"""The errors that SQLite reports, and what the project calls them."""

import apsw
import pytest

from core.adapters.sqlite.connections.errors import sqlite_errors
from core.domain.errors import StorageError, StorageFull, StorageUnavailable


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (apsw.SQLITE_FULL, StorageFull),
        (apsw.SQLITE_IOERR_SHMSIZE, StorageFull),
        (apsw.SQLITE_IOERR, StorageUnavailable),
        (apsw.SQLITE_IOERR_WRITE, StorageUnavailable),
        (apsw.SQLITE_IOERR_FSYNC, StorageUnavailable),
        (apsw.SQLITE_IOERR_TRUNCATE, StorageUnavailable),
        (apsw.SQLITE_READONLY, StorageUnavailable),
        (apsw.SQLITE_READONLY_DBMOVED, StorageUnavailable),
        (apsw.SQLITE_PERM, StorageUnavailable),
        (apsw.SQLITE_CANTOPEN, StorageUnavailable),
        (apsw.SQLITE_CANTOPEN_ISDIR, StorageUnavailable),
        (apsw.SQLITE_BUSY, StorageUnavailable),
        (apsw.SQLITE_LOCKED, StorageUnavailable),
        (apsw.SQLITE_IOERR_READ, StorageError),
        (apsw.SQLITE_CORRUPT, StorageError),
        (apsw.SQLITE_NOTADB, StorageError),
        (apsw.SQLITE_INTERNAL, StorageError),
    ],
)
def test_each_has_its_kind(code: int, kind: type[StorageError]) -> None:
    with pytest.raises(StorageError) as raised, sqlite_errors():
        raise apsw.exception_for(code)
    assert type(raised.value) is kind
    assert isinstance(raised.value.__cause__, apsw.Error)


def test_an_error_of_the_disk_says_which() -> None:
    with pytest.raises(StorageUnavailable, match="SQLITE_IOERR_FSYNC"), sqlite_errors():
        raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)
