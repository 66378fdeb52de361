"""Announcement of a data directory's API, for commands with the same directory.

Two stacks on one machine have different ports. A command without `NALANDA_API_URL` must not reach
the other stack.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.processes.lock import InUse
from core.adapters.data_dir import LockHeld, acquire

FILE = "api.lock"
PATIENCE_S = 2.0
POLL_S = 0.05


@contextmanager
def announce(directory: Path, url: str) -> Iterator[None]:
    """Announce the API at `url` until the block or this process ends.

    Raises:
        InUse: another process announces an API of this directory.
        StorageError: the directory can't be written to or locked.
    """
    file = _lock_file(directory)
    try:
        os.pwrite(file, f"{os.getpid()}\n{url}\n".encode(), 0)
        yield
    finally:
        os.close(file)


def find_api(directory: Path) -> str | None:
    """Return the URL of the API that serves the directory, or `None`."""
    try:
        with (directory / FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                lines = file.read().splitlines()
                return lines[1] if len(lines) > 1 else None
    except OSError:
        return None
    return None  # the file of a dead process


def _lock_file(directory: Path) -> int:
    """Lock the file, and retry briefly, since a command locks it while reading."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return acquire(directory / FILE)
        except LockHeld as error:
            if time.monotonic() > deadline:
                raise InUse(directory, error.holder) from None
        time.sleep(POLL_S)
