"""The lock on a data directory, which one process at a time may hold."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from core.adapters import private
from core.domain.errors import DataDirInUse, StorageError


class LockHeld(Exception):
    """The lock is held by another process, or by another descriptor of this one."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"process {holder} holds the lock")
        self.holder = holder


class DataDirLock:
    """The lock on `DATA/lock`, a file with the holder's process id, until release or exit."""

    def __init__(self, directory: Path) -> None:
        """Lock the data directory; create it where it is missing.

        Raises:
            DataDirInUse: another process, or another store of this one, has the directory.
            StorageError: the directory can't be created, written to or locked.
        """
        try:
            self._file = acquire(directory / "lock")
        except LockHeld as error:
            raise DataDirInUse(str(directory), error.holder) from error

    def release(self) -> None:
        os.close(self._file)


def acquire(path: Path) -> int:
    """Lock a file, create its directory where it is missing, and return the file's descriptor.

    The kernel releases the lock of a process that ends, so a file from before does no harm.

    Raises:
        Held: another process holds the lock.
        StorageError: the directory can't be created, written to or locked.
    """
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(file, 32, 0).decode(errors="replace").partition("\n")[0] or "unknown"
        os.close(file)
        raise LockHeld(pid) from error
    except OSError as error:
        os.close(file)
        raise StorageError(
            f"The data directory {path.parent} can't be locked: {error.strerror}. Choose one on a "
            "file system that has locks, such as a local disk."
        ) from error
    private.make_private(path.parent)
    with suppress(OSError):  # on a full disk the lock is held all the same, without a process id
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(private.DIRECTORY_MODE, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, private.FILE_MODE)
    except OSError as error:
        is_file = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "it is or is below a file, not a directory" if is_file else error.strerror or error
        raise StorageError(
            f"The data directory {path.parent} can't be used: {reason}. Choose another with --data "
            "or NALANDA_DATA_DIR."
        ) from error
