"""One owner at a time for a local Temporal server's file.

Two servers on one SQLite file would each take themselves for the owner of all its shards. The
lock is the kernel's, so it ends with its holder, however that ends.
"""

import fcntl
import os
from pathlib import Path


class InUse(Exception):
    def __init__(self, directory: Path, holder: str) -> None:
        super().__init__(
            f"{directory} is in use by another local Temporal server (started by process "
            f"{holder or 'unknown'}). Stop that one, or give another directory with --data."
        )


def acquire(directory: Path) -> int:
    """Locks `directory` for this process; the lock lasts as long as the descriptor returned.

    Raises:
        InUse: another process has it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory / "temporal.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode().strip()
        os.close(lock)
        raise InUse(directory, holder) from None
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock
