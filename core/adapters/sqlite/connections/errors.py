"""Maps SQLite's errors to the project's; the only place that does."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from core.domain.errors import StorageError, StorageFull, StorageUnavailable

_NO_ROOM = {apsw.SQLITE_IOERR_SHMSIZE}  # for the index of the WAL, which is a file of its own
_UNREADABLE = {
    apsw.SQLITE_IOERR_READ,
    apsw.SQLITE_IOERR_SHORT_READ,
    apsw.SQLITE_IOERR_CORRUPTFS,
    apsw.SQLITE_IOERR_DATA,
}


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Map the errors of SQLite that the block raises.

    Raises:
        StorageFull: the disk is full.
        StorageUnavailable: the disk, or another process with the file, refuses for now.
        StorageError: SQLite reports another error.
    """
    try:
        yield
    except apsw.Error as error:
        raise _nalanda_error(error) from error


def _nalanda_error(error: apsw.Error) -> StorageError:
    match error:
        case apsw.FullError():
            return StorageFull(f"The disk is full: {error}")
        case apsw.IOError():
            return _disk_error(error, getattr(error, "extendedresult", 0))
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return StorageUnavailable(f"The database can't be written to: {error}")
        case apsw.CantOpenError():
            return StorageUnavailable(f"The database can't be opened: {error}")
        case apsw.BusyError() | apsw.LockedError():
            return StorageUnavailable(f"Another process has the database: {error}")
        case apsw.NotADBError():
            return StorageError("It is not a SQLite database; Nalanda leaves it unchanged.")
        case apsw.CorruptError():
            return StorageError(f"The database is damaged: {error}")
        case _:
            return StorageError(f"The database failed: {error}")


def _disk_error(error: apsw.IOError, code: int) -> StorageError:
    if code in _NO_ROOM:
        return StorageFull(f"The disk is full: {error}")
    named = f"{error} ({apsw.mapping_extended_result_codes.get(code, code)})"
    if code in _UNREADABLE:
        return StorageError(f"The database can't be read: {named}")
    return StorageUnavailable(f"The disk fails: {named}")
