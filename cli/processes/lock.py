"""One owner at a time for a local Temporal server's file.

Two servers on one SQLite file would each take themselves for the owner of all its shards. The
lock is the kernel's, so it ends with its holder, however that ends.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.adapters.data_dir import Held, acquire


class InUse(Exception):
    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(
            f"{directory} is in use by another local Temporal server or API (started by process "
            f"{holder}). Stop that one, or give another directory with --data."
        )


@contextmanager
def held(directory: Path) -> Iterator[None]:
    """Lock `directory` for this process, as long as the block lasts.

    Raises:
        InUse: another process has it.
        StorageError: it can't be made, written to or locked.
    """
    try:
        lock = acquire(directory / "temporal.lock")
    except Held as error:
        raise InUse(directory, error.holder) from None
    try:
        yield
    finally:
        os.close(lock)
