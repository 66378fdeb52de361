"""The one place where SQLite's errors become the project's."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from core.domain.errors import StorageError, StorageFull


@contextmanager
def sqlite_errors() -> Iterator[None]:
    """Raises: StorageFull: the disk is full. StorageError: whatever else SQLite reports."""
    try:
        yield
    except apsw.FullError as error:
        raise StorageFull(f"The disk is full: {error}") from error
    except apsw.NotADBError as error:
        raise StorageError("It is not a SQLite database; it is left as it is.") from error
    except apsw.CorruptError as error:
        raise StorageError(f"The database is damaged: {error}") from error
    except apsw.Error as error:
        raise StorageError(f"The database failed: {error}") from error
