"""The data directory, which one process at a time may have."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from core.adapters import private
from core.domain.errors import DataDirInUse, StorageError


class Held(Exception):
    """Another process, or another descriptor of this one, holds the lock."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"process {holder} holds the lock")
        self.holder = holder


class DataDirLock:
    """Holds `DATA/lock`, in which its process id stands, until released or until death."""

    def __init__(self, directory: Path) -> None:
        """Makes the directory where it is missing.

        Raises:
            DataDirInUse: another process, or another store of this one, has it.
            StorageError: it can't be made, written to or locked.
        """
        try:
            self._file = acquire(directory / "lock")
        except Held as error:
            raise DataDirInUse(str(directory), error.holder) from error

    def release(self) -> None:
        os.close(self._file)


def acquire(path: Path) -> int:
    """Lock the file in a data directory, which is made where it is missing; return its descriptor.

    The kernel lets go of a lock whose process has died, so a file that is left over is no
    hindrance.

    Raises:
        Held: another process has it.
        StorageError: the directory can't be made, written to or locked.
    """
    file = _opened(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(file, 32, 0).decode(errors="replace").partition("\n")[0] or "unknown"
        os.close(file)
        raise Held(pid) from error
    except OSError as error:
        os.close(file)
        raise StorageError(
            f"The data directory {path.parent} can't be locked: {error.strerror}. Choose one on a "
            "file system that has locks, such as a local disk."
        ) from error
    private.make_private(path.parent)
    with suppress(OSError):  # on a full disk it is held as well, by one who gives no name
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
    return file


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(private.DIRECTORY_MODE, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, private.FILE_MODE)
    except OSError as error:
        reason = error.strerror or error
        raise StorageError(
            f"The data directory {path.parent} can't be used: {reason}. Choose another with --data "
            "or NALANDA_DATA_DIR."
        ) from error
