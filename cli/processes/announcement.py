"""Where the API of a data directory is, for the commands that have the same directory.

Two stacks on one machine have different ports, and a command without `NALANDA_API_URL` must not
end up at the other one.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.processes.lock import InUse
from core.adapters.data_dir import Held, acquire

FILE = "api.lock"
PATIENCE_S = 2.0
POLL_S = 0.05


@contextmanager
def announced(directory: Path, url: str) -> Iterator[None]:
    """Let commands find the API at `url`, as long as the block and this process last.

    Raises:
        InUse: another process announces an API of this directory.
        StorageError: the directory can't be written to or locked.
    """
    file = _acquired(directory)
    try:
        os.pwrite(file, f"{os.getpid()}\n{url}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def announced_in(directory: Path) -> str | None:
    """Return the URL of the API that has the directory now, if there is one."""
    try:
        with (directory / FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                lines = file.read().splitlines()
                return lines[1] if len(lines) > 1 else None
    except OSError:
        return None
    return None  # the file outlived its process


def _acquired(directory: Path) -> int:
    """Lock the file; a command that looks into it holds a lock for a moment as well."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return acquire(directory / FILE)
        except Held as error:
            if time.monotonic() > deadline:
                raise InUse(directory, error.holder) from None
        time.sleep(POLL_S)
