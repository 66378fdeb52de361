"""Exclusive lock on the file of a local Temporal server.

Two servers on one SQLite file would each assume ownership of all its shards. The kernel releases
the lock when its holder ends, in whatever way.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.data_dir import LockHeld, acquire


class InUse(Exception):
    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(
            f"{directory} is in use by another local Temporal server or API (started by process "
            f"{holder}). Stop that process, or choose another directory with --data."
        )


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Lock `directory` for this process until the block ends.

    Raises:
        InUse: another process holds the lock.
        StorageError: the directory can't be created, written to or locked.
    """
    try:
        lock = acquire(directory / "temporal.lock")
    except LockHeld as error:
        raise InUse(directory, error.holder) from None
    try:
        yield
    finally:
        os.close(lock)
