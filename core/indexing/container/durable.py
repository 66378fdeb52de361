"""Atomic durable writes: after a crash a file is either complete or absent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from core import crash_points

T = TypeVar("T")

UNFINISHED = ".new"
"""The suffix of a file that is still being written; a start may remove such a file."""


def write_durably(path: Path, write: Callable[[BinaryIO], T]) -> T:
    """Write a file atomically, sync its content and its name to disk, and return `write`'s result.

    An existing file is replaced; processes that have it mapped keep the old content. A path has one
    writer at a time.

    Raises:
        OSError: no room, or no permission. An existing file stays as it was.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with unfinished.open("wb") as file:
            written = write(file)
            file.flush()
            crash_points.reach("file.written")
            os.fsync(file.fileno())
        crash_points.reach("file.synced")
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    crash_points.reach("file.renamed")
    sync(path.parent)
    return written


def sync(path: Path) -> None:
    """Sync a file or a directory to disk.

    Until a directory is synced, a crash may undo the creation, renaming or removal of its files.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
