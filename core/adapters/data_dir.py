"""The data directory, which one process at a time may have."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from core.domain.errors import DataDirInUse, StorageError


class DataDirLock:
    """Holds `DATA/lock`, in which its process id stands, until released or until death.

    The kernel lets go of a lock whose process has died, so a file that is left over is no
    hindrance.
    """

    def __init__(self, directory: Path) -> None:
        """Makes the directory where it is missing.

        Raises:
            DataDirInUse: another process, or another store of this one, has it.
            StorageError: it can't be made or written to.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            reason = error.strerror or error
            raise StorageError(f"The data directory {directory} can't be used: {reason}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = os.pread(self._file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise DataDirInUse(str(directory), pid) from error
        with suppress(OSError):  # on a full disk it is held as well, by one who gives no name
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        os.close(self._file)
